import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { copyVariables, pickVariables } from '../config/environment.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { makePrivateFolder, writeAtomic } from '../fs/files.ts'
import { quoteForShell } from '../shell-quote.ts'
import {
  buildSessionCommands,
  buildWindowCommand,
  encodePaste,
  formatSessionTarget,
  formatWindowTarget,
  joinCommands,
  PANE_FORMAT,
  parsePanes,
  type TmuxPane,
} from './argv.ts'
import { attachTerminal, findDetachKeys } from './attach.ts'
import { SERVER_VARIABLES, TmuxServer } from './server.ts'
import { recordServer, serverFormat } from './socket.ts'

/** A tmux session, and the folder in which its windows start. The command of each window is in a file there. */
export interface TmuxSession {
  session: string
  folder: string
}

/** What a window runs. Names are `[a-z0-9-]`. The command is an argv; no shell interprets its words. */
interface TmuxWindow extends TmuxSession {
  name: string
  command: string[]
}

/** The tmux of one DISPATCH_HOME. */
export function openTmux(home: string): Tmux {
  return new Tmux(home)
}

/** The sessions, windows and terminals of the tmux of one DISPATCH_HOME. */
export class Tmux extends TmuxServer {
  /**
   * Open a session of 200x50 with these windows. Exit 6 when a session of that name exists. The values of
   * `variableNames` come from `environment`, and tmux hands them to the windows; those of
   * `firstWindowNames` to the first window only. No secret is in an argument or a file.
   */
  async openSession(
    { session, folder }: TmuxSession,
    windows: Omit<TmuxWindow, keyof TmuxSession>[],
    variableNames: string[],
    firstWindowNames: string[] = [],
    environment = process.env,
  ): Promise<void> {
    const [first, ...others] = windows.map(({ name, command }) => ({
      name,
      command: writeWindowCommand({ session, folder, name, command }),
    }))
    if (!first) return
    const commands = buildSessionCommands(session, [first, ...others], variableNames, firstWindowNames)
    // The server starts on its own. Started by `new-session`, it would hand the values of this caller to every later
    // window.
    await this.waitForServer()
    try {
      const env = {
        ...copyVariables(SERVER_VARIABLES),
        ...pickVariables([...variableNames, ...firstWindowNames], environment),
      }
      const describe = ['display-message', '-p', '-t', `${formatSessionTarget(session)}:`, serverFormat]
      const opened = await this.runOrThrow(['-f', '/dev/null', ...joinCommands([...commands, describe])], {
        cwd: folder,
        env,
      })
      await recordServer(this.home, opened.stdout)
    } catch (error) {
      await this.releaseServer() // The commands ended before their last one.
      throw error
    }
  }

  /** Open a window behind the others. Returns the pid of the process in it. */
  async openWindow(window: TmuxWindow): Promise<number> {
    const { session, name, folder } = window
    const options = ['-P', '-F', '#{pane_pid}']
    const command = buildWindowCommand(session, { name, command: writeWindowCommand(window) }, options)
    return Number((await this.runOrThrow(command, { cwd: folder })).stdout.trim())
  }

  /**
   * Run a command in a window whose own command has ended, or open the window where it does not exist. A command that
   * runs there already is left alone, even one that another process started a moment ago. Returns whether this call
   * started it.
   */
  async respawnWindow(window: TmuxWindow): Promise<boolean> {
    const target = formatWindowTarget(window.session, window.name)
    const command = writeWindowCommand(window) // tmux remembers the folder in which the ended one started.
    const respawned = await this.run(['respawn-window', '-t', target, ...command])
    if (respawned.exitCode === 0) return true
    if (!/still active/.test(respawned.stderr)) return (await this.openWindow(window)) > 0
    // A person may have split the window, so only one of its panes has ended.
    const panes = (await this.run(['list-panes', '-t', target, '-F', '#{pane_dead} #{pane_id}'])).stdout.split('\n')
    const deadPane = panes.find(line => line.startsWith('1 '))?.slice(2)
    if (deadPane === undefined) return false
    return (await this.run(['respawn-pane', '-t', deadPane, ...command])).exitCode === 0
  }

  async closeSession(session: string): Promise<void> {
    await this.run(['kill-session', '-t', formatSessionTarget(session)])
  }

  /** Every pane on this socket; empty when no server runs. */
  async listPanes(): Promise<TmuxPane[]> {
    const result = await this.run(['list-panes', '-a', '-F', PANE_FORMAT])
    return result.exitCode === 0 ? parsePanes(result.stdout) : []
  }

  /**
   * The text of a window with the last 50 lines of its history, because a program that dies pushes its last message up.
   * Undefined when the window does not exist.
   */
  async captureText(session: string, window: string): Promise<string | undefined> {
    const target = formatWindowTarget(session, window)
    const result = await this.run(['capture-pane', '-p', '-J', '-S', '-50', '-t', target])
    return result.exitCode === 0 ? result.stdout.trimEnd() : undefined
  }

  /** The visible text with its styles; undefined when the window does not exist or its command has ended. */
  async captureStyledText(session: string, window: string): Promise<string | undefined> {
    const target = ['-t', formatWindowTarget(session, window)]
    const readState = ['display-message', '-p', ...target, '#{pane_dead}']
    const result = await this.run(joinCommands([readState, ['capture-pane', '-p', '-e', ...target]]))
    return result.exitCode === 0 && result.stdout.startsWith('0\n') ? result.stdout.slice(2) : undefined
  }

  /** Paste text into a window, in one bracketed paste. Throws for text with an escape character. */
  async paste(session: string, window: string, text: string): Promise<void> {
    await this.#sendBytes(session, window, encodePaste(text))
  }

  /** Press Enter in a window, also while tmux is in copy mode there. */
  async pressEnter(session: string, window: string): Promise<void> {
    await this.#sendBytes(session, window, '\r')
  }

  /** The terminals of all windows whose command runs, such as `/dev/pts/4`. Those of dead ones are given away again. */
  async listTerminals(): Promise<string[]> {
    const result = await this.run(['list-panes', '-a', '-F', '#{?pane_dead,,#{pane_tty}}'])
    return result.exitCode === 0 ? result.stdout.split('\n').filter(Boolean) : []
  }

  /** Does a terminal show this session? */
  async isAttached(session: string): Promise<boolean> {
    const result = await this.run(['list-clients', '-t', formatSessionTarget(session), '-F', '#{client_pid}'])
    return result.exitCode === 0 && result.stdout.trim() !== ''
  }

  /** Attach the terminal of the user to a window. Returns the exit code of tmux when the user detaches. */
  async attach(session: string, window: string): Promise<number> {
    const hint = [`${await findDetachKeys()} leaves this window; everything goes on `]
    await this.run(['set-option', '-t', `${formatSessionTarget(session)}:`, 'status-right-length', '60'])
    await this.run(['set-option', '-t', `${formatSessionTarget(session)}:`, 'status-right', ...hint])
    return attachTerminal(['-u', ...this.socketArguments, 'attach-session', '-t', formatWindowTarget(session, window)])
  }

  /** Send bytes to a program, past every key table. They go through stdin, because an argument cannot be long. */
  async #sendBytes(session: string, window: string, bytes: string): Promise<void> {
    const buffer = `dispatch-${randomBytes(6).toString('hex')}`
    const loaded = await this.run(['load-buffer', '-b', buffer, '-'], { input: bytes })
    const target = formatWindowTarget(session, window)
    const result =
      loaded.exitCode === 0 ? await this.run(['paste-buffer', '-d', '-r', '-b', buffer, '-t', target]) : loaded
    if (result.exitCode !== 0)
      throw new DispatchError(`tmux could not type into ${session}:${window}: ${result.stderr.trim()}`, {
        exitCode: exitCodes.dependency,
        remedy: 'Run `dispatch doctor`.',
      })
  }
}

// --- internal ---

/**
 * Write the command of a window into a file of its folder. Returns the argv that runs it there, which never gets
 * longer: a message to tmux holds 16 KB, and paths can be long.
 */
function writeWindowCommand({ folder, name, command }: TmuxWindow): string[] {
  makePrivateFolder(folder)
  writeAtomic(path.join(folder, `${name}.sh`), `#!/bin/sh\nexec ${command.map(quoteForShell).join(' ')}\n`, 0o700, {
    isDurable: false,
  })
  return ['/bin/sh', `./${name}.sh`]
}
