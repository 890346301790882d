import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { pickVariables } from '../config/config.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { type RunOptions, type RunResult, runInTerminal, runProgram } from '../exec.ts'
import { makePrivateFolder, writeAtomic } from '../fs/files.ts'
import { quoteForShell } from '../shell-quote.ts'

/** One pane of a window, as tmux reports it. */
interface TmuxPane {
  session: string
  window: string
  pid: number
  isDead: boolean
}

/** A tmux session of ours: its name, and the folder in which its windows start. Each has its command in a file there. */
export interface TmuxSession {
  session: string
  folder: string
}

/** What a new window runs. Names are `[a-z0-9-]`; the command is argv, and no shell looks for anything in its words. */
interface TmuxWindow extends TmuxSession {
  name: string
  command: string[]
}

export type Tmux = ReturnType<typeof openTmux>

/** The tmux of one DISPATCH_HOME: a private socket, so that nothing of the user's own tmux is ever touched. */
export function openTmux(home: string) {
  const socket = `dispatch-${createHash('sha256').update(home).digest('hex').slice(0, 10)}`
  return {
    socket,

    /**
     * Open a session of 200x50 with these windows; throws exit 6 where there is one of that name. The values of `names` are
     * taken from our own environment and handed to its windows by tmux itself (`update-environment`), so that no secret stands
     * in an argument list or a file.
     */
    async openSession(
      { session, folder }: TmuxSession,
      windows: Omit<TmuxWindow, keyof TmuxSession>[],
      names: string[],
    ): Promise<void> {
      const [first, ...others] = windows.map(window => ({ session, folder, ...window }))
      if (!first) return
      const steps = [
        ['start-server'],
        ['set-option', '-g', 'remain-on-exit', 'on'],
        ['set-option', '-g', 'history-limit', '20000'],
        ['set-option', '-g', 'update-environment', names.join(' ')],
        ['new-session', '-d', '-s', session, '-x', '200', '-y', '50', '-n', first.name, ...writeCommand(first)],
        ...others.map(window => newWindowArguments(window)),
        ['set-option', '-s', 'exit-empty', 'on'],
      ]
      // The server is born by itself: born with the session, it would hand this caller's values to every later window.
      await must(['-f', '/dev/null', 'start-server', ';', 'set-option', '-s', 'exit-empty', 'off'])
      try {
        const chained = steps.flatMap((step, at) => (at === 0 ? step : [';', ...step]))
        const env = { ...buildServerEnvironment(), ...pickVariables(names) }
        await must(['-f', '/dev/null', ...chained], { cwd: folder, env })
      } catch (error) {
        await tmux(['set-option', '-s', 'exit-empty', 'on']) // The chain has ended before it came to that.
        throw error
      }
    },

    /** Open a window behind the others; answers the process in it. */
    async openWindow(window: TmuxWindow): Promise<number> {
      const ran = await must(newWindowArguments(window, '-P', '-F', '#{pane_pid}'), { cwd: window.folder })
      return Number(ran.stdout.trim())
    },

    /**
     * Let a window run this where its own command has ended, or open it where there is none. What runs in the window by then is
     * left alone, also what another process has started at the same moment. Answers whether this call started it.
     */
    async respawnWindow(window: TmuxWindow): Promise<boolean> {
      const target = `=${window.session}:=${window.name}`
      const command = writeCommand(window) // tmux remembers where the ended one was started.
      const again = async (how: string, where: string) => tmux([how, '-t', where, ...command])
      const whole = await again('respawn-window', target)
      if (whole.exitCode === 0) return true
      if (!/still active/.test(whole.stderr)) return (await this.openWindow(window)) > 0
      // Somebody may have split it, to look at both.
      const panes = (await tmux(['list-panes', '-t', target, '-F', '#{pane_dead} #{pane_id}'])).stdout.split('\n')
      const ended = panes.find(line => line.startsWith('1 '))?.slice(2)
      return ended !== undefined && (await again('respawn-pane', ended)).exitCode === 0
    },

    async closeSession(session: string): Promise<void> {
      await tmux(['kill-session', '-t', `=${session}`])
    },

    /** Does our server run, in tmux's own words where it does not answer? `stale`: a socket whose server is gone. */
    async readServerState(): Promise<{ kind: 'running' | 'none' | 'stale' | 'broken'; words: string }> {
      const ran = await tmux(['list-sessions'])
      const words = ran.stderr.trim()
      if (ran.exitCode === 0) return { kind: 'running', words }
      if (/no such file or directory/i.test(words)) return { kind: 'none', words }
      return { kind: /no server running|connection refused/i.test(words) ? 'stale' : 'broken', words }
    },

    /** Take away the socket of a server that has ended: tmux leaves the file behind. */
    async removeStaleSocket(): Promise<void> {
      const ran = await tmux(['list-sessions'])
      if (ran.exitCode === 0) return
      const file = /(?:no server running on|error connecting to) (\/\S+)/.exec(ran.stderr)?.[1]
      if (file?.endsWith(`/${socket}`)) fs.rmSync(file, { force: true })
    },

    /** Every pane on our socket; empty when no server runs. */
    async listPanes(): Promise<TmuxPane[]> {
      const ran = await tmux(['list-panes', '-a', '-F', '#{session_name} #{pane_pid} #{pane_dead} #{window_name}'])
      return ran.exitCode === 0 ? parsePanes(ran.stdout) : []
    },

    /** The text of a window, with a little of what has scrolled away (a dying program pushes its last words up); undefined without the window. */
    async captureText(session: string, name: string): Promise<string | undefined> {
      const ran = await tmux(['capture-pane', '-p', '-J', '-S', '-50', '-t', `=${session}:=${name}`])
      return ran.exitCode === 0 ? ran.stdout.trimEnd() : undefined
    },

    /** What stands on a window now, with its styles; undefined without a living window. */
    async captureStyledText(session: string, name: string): Promise<string | undefined> {
      const target = ['-t', `=${session}:=${name}`]
      const ran = await tmux([
        'display-message',
        '-p',
        ...target,
        '#{pane_dead}',
        ';',
        'capture-pane',
        '-p',
        '-e',
        ...target,
      ])
      return ran.exitCode === 0 && ran.stdout.startsWith('0\n') ? ran.stdout.slice(2) : undefined
    },

    /**
     * Put text into a window as one paste, as a terminal does: between the paste's brackets, line breaks as returns. The
     * brackets are our own, because tmux leaves them out while somebody scrolls in that window. The text goes by standard
     * input, for an argument may not be long; it may hold no escape.
     */
    async paste(session: string, name: string, text: string): Promise<void> {
      if (text.includes('\u001b')) throw new Error('a paste with an escape in it could end itself')
      await type(session, name, `\u001b[200~${text.replace(/\r?\n/g, '\r')}\u001b[201~`)
    },

    /** Press Enter in a window, whatever mode of tmux it is in. */
    async pressEnter(session: string, name: string): Promise<void> {
      await type(session, name, '\r')
    },

    /** The terminals of every living window on our socket, such as `/dev/pts/4`. A dead one's is given to whoever comes next. */
    async listTerminals(): Promise<string[]> {
      const ran = await tmux(['list-panes', '-a', '-F', '#{?pane_dead,,#{pane_tty}}'])
      return ran.exitCode === 0 ? ran.stdout.split('\n').filter(Boolean) : []
    },

    /** Put the user's terminal into the session; answers when they detach. */
    attach(session: string, window: string): Promise<number> {
      return runInTerminal('tmux', ['-u', '-L', socket, 'attach-session', '-t', `=${session}:=${window}`], {
        ...process.env,
        TMUX: '',
      })
    },
  }

  async function tmux(args: string[], options: Pick<RunOptions, 'cwd' | 'env' | 'input'> = {}): Promise<RunResult> {
    return runProgram('tmux', ['-u', '-L', socket, ...args], {
      env: buildServerEnvironment(),
      timeoutMs: 20_000,
      ...options,
    })
  }

  /** Hand bytes to the program in a window, past every key table. */
  async function type(session: string, name: string, bytes: string): Promise<void> {
    const buffer = `dispatch-${randomBytes(6).toString('hex')}`
    for (const [args, options] of [
      [['load-buffer', '-b', buffer, '-'], { input: bytes }],
      [['paste-buffer', '-d', '-r', '-b', buffer, '-t', `=${session}:=${name}`], {}],
    ] as const) {
      const ran = await tmux([...args], options)
      if (ran.exitCode !== 0)
        throw new DispatchError(`tmux would not type into ${session}:${name}: ${ran.stderr.trim()}`, {
          exitCode: exitCodes.dependency,
        })
    }
  }

  /** Run it, and once more when the server was just on its way out ("server exited unexpectedly"). */
  async function must(args: string[], options: Pick<RunOptions, 'cwd' | 'env'> = {}): Promise<RunResult> {
    let ran = await tmux(args, options)
    if (ran.exitCode !== 0 && /server exited|no server running|lost server/.test(ran.stderr))
      ran = await tmux(args, options)
    if (ran.startError)
      throw new DispatchError('tmux is not installed, or not on PATH', {
        exitCode: exitCodes.dependency,
        remedy: 'Install it: `brew install tmux` or `apt-get install tmux`.',
      })
    if (ran.exitCode !== 0)
      throw new DispatchError(`tmux refused (${socket}): ${ran.stderr.trim()}`, {
        exitCode: exitCodes.dependency,
        remedy: 'Run `dispatch doctor`.',
      })
    return ran
  }
}

/** Lines of `list-panes -F`; split at blanks, for tmux shows a tab as something else where the locale is C. */
export function parsePanes(text: string): TmuxPane[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [session = '', pid = '', dead = '', ...window] = line.split(' ')
      return { session, window: window.join(' '), pid: Number(pid), isDead: dead === '1' }
    })
}

/** The words that open a window of a session, behind the others. */
function newWindowArguments(window: TmuxWindow, ...more: string[]): string[] {
  return ['new-window', '-d', ...more, '-t', `=${window.session}:`, '-n', window.name, ...writeCommand(window)]
}

/**
 * Write a window's command into a file of its folder, and answer the words that run it there. They never grow: a message to
 * tmux holds 16 KB, and paths may be long.
 */
function writeCommand({ folder, name, command }: TmuxWindow): string[] {
  makePrivateFolder(folder)
  writeAtomic(path.join(folder, `${name}.sh`), `#!/bin/sh\nexec ${command.map(quoteForShell).join(' ')}\n`, 0o700)
  return ['/bin/sh', `./${name}.sh`]
}

/**
 * The tmux server is born with little: what it is born with, every later window of every session inherits, so no
 * secret of the first caller may be in it.
 */
function buildServerEnvironment(): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'LANG',
    'LC_ALL',
    'LC_CTYPE',
    'TERM',
    'TMPDIR',
    'TMUX_TMPDIR',
    'TZ',
    'SSH_AUTH_SOCK',
    'DBUS_SESSION_BUS_ADDRESS',
    'DISPLAY',
    'WAYLAND_DISPLAY',
    'XDG_RUNTIME_DIR',
  ]
  return Object.fromEntries(kept.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}
