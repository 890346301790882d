import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type RunResult, runProgram } from '../../host/index.ts'
import { entryPoint, type Rig } from '../rig.ts'

/** A terminal that no agent has opened: a tmux of our own, born with a clean environment. */
export async function runAtTerminal(rig: Rig, words: string[]) {
  const socket = `human-${randomBytes(4).toString('hex')}`
  const script = path.join(rig.home, `${socket}.sh`)
  const set = Object.entries({ ...rig.environment, TERM: 'xterm-256color' }).map(
    ([name, value]) => `${name}='${value}'`,
  )
  const line = `env -i ${set.join(' ')} /bin/sh ${entryPoint} ${words.map(word => `'${word}'`).join(' ')}`
  fs.writeFileSync(script, `${line}\necho "EXIT $?"\nexec sleep 60\n`)
  const env = { PATH: rig.environment['PATH'] ?? '', HOME: rig.home, TERM: 'xterm-256color', LANG: 'C.UTF-8' }
  const tmux = (...args: string[]): Promise<RunResult> => runProgram('tmux', ['-u', '-L', socket, ...args], { env })
  await tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'human', '-x', '160', '-y', '60', '/bin/sh', script)
  const screen = async () => (await tmux('capture-pane', '-p', '-J', '-S', '-200', '-t', '=human:')).stdout
  return {
    screen,
    type: (text: string) => tmux('send-keys', '-t', '=human:', text, 'Enter'),
    async until(pattern: RegExp): Promise<string> {
      for (let tries = 0; tries < 200; tries++) {
        const shown = await screen()
        if (pattern.test(shown)) return shown
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      throw new Error(`${pattern} did not come:\n${await screen()}`)
    },
    close: () => tmux('kill-server'),
  }
}

/** Type this when it asks, and see what it says at the end. */
export async function runAtTerminalToEnd(rig: Rig, words: string[], typed?: string): Promise<string> {
  const human = await runAtTerminal(rig, words)
  try {
    if (typed !== undefined) {
      await human.until(/to go on: /)
      await human.type(typed)
    }
    return await human.until(/EXIT \d+/)
  } finally {
    await human.close()
  }
}
