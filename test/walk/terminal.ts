import { type RunResult, runProgram } from '#host/exec.ts'
import { HANG_MS, waitUntil } from '../fixtures/scratch.ts'

/** A terminal with a shell, in a separate tmux. */
export interface Terminal {
  /** Type a command, answer its questions, and return the screen from the command to the next prompt. */
  typeCommand(
    command: string,
    options?: { answers?: [question: RegExp, answer: string][]; seconds?: number },
  ): Promise<string>
  close(): Promise<void>
}

export async function openTerminal(environment: Record<string, string>, folder: string): Promise<Terminal> {
  const socket = `walk-${process.pid}-${Math.random().toString(36).slice(2, 8)}`
  const env = { ...environment, PS1: '$ ', ENV: '', TERM: 'xterm-256color' }
  const tmux = (...args: string[]): Promise<RunResult> =>
    runProgram('tmux', ['-u', '-L', socket, ...args], { env, timeoutMs: HANG_MS })
  const shell = ['new-session', '-d', '-s', 'walk', '-x', '110', '-y', '50', '-c', folder, '/bin/sh -i']
  const opened = await tmux('-f', '/dev/null', ...shell)
  if (opened.exitCode !== 0) throw new Error(`no terminal: ${opened.stderr}`)
  await tmux('set-option', '-g', 'history-limit', '20000')
  await tmux('set-option', '-g', 'status', 'off')
  const readScreen = async () =>
    (await tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'walk')).stdout.replace(/\s+$/, '')
  const waitForScreen = (what: string, check: (screen: string) => boolean, seconds?: number): Promise<string> => {
    let screen = ''
    return waitUntil(
      async () => {
        screen = await readScreen()
        return check(screen) && screen
      },
      what,
      seconds,
    ).catch(({ message }: Error) => {
      throw new Error(`${message}\n${screen}`)
    })
  }
  try {
    await waitForScreen('the shell is ready', screen => /[#$]$/.test(screen))
    await tmux('send-keys', '-t', 'walk', '-l', '--', "PS1='$ '") // The shell of root sets its own prompt.
    await tmux('send-keys', '-t', 'walk', 'Enter')
    await waitForScreen('the first prompt', screen => /\n\$$/.test(screen))
  } catch (error) {
    await tmux('kill-server')
    throw error
  }
  return {
    async typeCommand(command, { answers = [], seconds } = {}) {
      await tmux('send-keys', '-R', '-t', 'walk') // Clears the screen and its prompt.
      await tmux('clear-history', '-t', 'walk')
      await tmux('send-keys', '-t', 'walk', '-l', '--', command)
      await tmux('send-keys', '-t', 'walk', 'Enter')
      for (const [question, answer] of answers) {
        await waitForScreen(`it asks ${question}`, screen => question.test(screen), seconds)
        await tmux('send-keys', '-t', 'walk', '-l', '--', answer)
        await tmux('send-keys', '-t', 'walk', 'Enter')
      }
      const screen = await waitForScreen(
        `the end of ${command}`,
        text => text.includes('\n') && /\n\$$/.test(text),
        seconds,
      )
      return `$ ${screen.replace(/\n\$$/, '').trim()}`
    },
    async close() {
      await tmux('kill-server')
    },
  }
}
