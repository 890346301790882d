import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { copyVariables, plainVariableNames } from '../config/environment.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { type RunOptions, type RunResult, runProgram } from '../exec.ts'
import { sendSignal } from '../process/proc.ts'
import { SECOND_MS } from '../time.ts'
import { chooseSocket, findLostServer, reopenSocket } from './socket.ts'

/** Does the server run? `stale` means a socket whose server has ended; `message` is what tmux wrote to stderr. */
interface TmuxServerState {
  kind: 'running' | 'none' | 'stale' | 'broken'
  message: string
}

/** Every later window inherits what the server starts with, so it must not hold a secret of the first caller. */
export const SERVER_VARIABLES = [
  ...plainVariableNames,
  'TMPDIR',
  'TMUX_TMPDIR',
  'SSH_AUTH_SOCK',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XDG_RUNTIME_DIR',
]

/** A tmux server with a private socket for one DISPATCH_HOME, so that the user's own tmux is never touched. */
export class TmuxServer {
  protected readonly home: string
  #starting: Promise<void> | undefined
  #socketArguments: string[]

  constructor(home: string) {
    this.home = home
    this.#socketArguments = chooseSocket(home)
  }

  /** The options that lead a `tmux` to this server. */
  get socketArguments(): string[] {
    return this.#socketArguments
  }

  /** The name or the path of the socket. */
  get socket(): string {
    return this.#socketArguments.at(-1) ?? ''
  }

  /**
   * Begin to start the server; the next `openSession` waits for it, and throws its errors. Returns when the program runs. The
   * server waits for that session: if none is opened, call `releaseServer`.
   */
  async beginServer(): Promise<void> {
    this.#starting = this.#startServer()
    this.#starting.catch(() => undefined)
    await nextTurn()
  }

  /** Return once the server runs: the one that `beginServer` starts, or another one. */
  protected async waitForServer(): Promise<void> {
    await (this.#starting ?? this.#startServer())
    this.#starting = undefined
  }

  /** Let the server end if it has no session. */
  async releaseServer(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.run(['set-option', '-s', 'exit-empty', 'on'])
  }

  async readServerState(): Promise<TmuxServerState> {
    const result = await this.run(['list-sessions'])
    const message = result.stderr.trim()
    if (result.exitCode === 0) return { kind: 'running', message }
    if (/no such file or directory/i.test(message)) return { kind: 'none', message }
    return { kind: /no server running|connection refused/i.test(message) ? 'stale' : 'broken', message }
  }

  /** Remove the socket of a server that has ended; tmux leaves the file behind. */
  async removeStaleSocket(): Promise<void> {
    const result = await this.run(['list-sessions'])
    if (result.exitCode === 0) return
    const file = /(?:no server running on|error connecting to) (\/.+?)(?: \(.*\))?$/m.exec(result.stderr)?.[1]
    if (file !== undefined && path.basename(file) === path.basename(this.socket)) fs.rmSync(file, { force: true })
  }

  /** End a server that lives but cannot be reached, with its windows. Returns its pid; undefined without such a server. */
  async endLostServer(): Promise<number | undefined> {
    const lost = await findLostServer(this.home)
    if (lost === undefined || (await reopenSocket(lost))) return undefined
    sendSignal(lost.pid, 'SIGKILL')
    return lost.pid
  }

  /** Kill the server, and with it every window, as a crash does. */
  async killServer(): Promise<void> {
    const shown = await this.run(['display-message', '-p', '#{pid}'])
    if (shown.exitCode === 0) sendSignal(Number(shown.stdout), 'SIGKILL')
  }

  /** Start the server unless it runs. It must not be started beside one that lives but has lost its socket. */
  async #startServer(): Promise<void> {
    const lost = await findLostServer(this.home)
    if (lost !== undefined && !(await reopenSocket(lost)))
      throw new DispatchError(`the tmux server of this home (process ${lost.pid}) has lost its socket ${lost.socket}`, {
        exitCode: exitCodes.dependency,
        remedy: 'To end it with everything that runs in it: dispatch stop --all',
      })
    const commands = ['-f', '/dev/null', 'start-server', ';', 'set-option', '-s', 'exit-empty', 'off']
    const started = await this.run(commands)
    if (/(error creating|couldn't create) /.test(started.stderr))
      this.#socketArguments = chooseSocket(this.home, true) // A disk that takes no sockets.
    else if (started.exitCode === 0) return
    await this.runOrThrow(commands)
  }

  /** Run tmux. A server that has lost its socket is made to open it again first. */
  protected async run(args: string[], options: Pick<RunOptions, 'cwd' | 'env' | 'input'> = {}): Promise<RunResult> {
    const run = () =>
      runProgram('tmux', ['-u', ...this.#socketArguments, ...args], {
        env: copyVariables(SERVER_VARIABLES),
        timeoutMs: 20 * SECOND_MS,
        ...options,
      })
    const result = await run()
    if (result.exitCode === 0 || !/error connecting to|no server running/.test(result.stderr)) return result
    const lost = await findLostServer(this.home)
    return lost !== undefined && (await reopenSocket(lost)) ? run() : result
  }

  /** Run tmux, and run it again when the server was about to exit ("server exited unexpectedly"). Exit 6 on failure. */
  protected async runOrThrow(args: string[], options: Pick<RunOptions, 'cwd' | 'env'> = {}): Promise<RunResult> {
    let result = await this.run(args, options)
    if (result.exitCode !== 0 && /server exited|no server running|lost server/.test(result.stderr))
      result = await this.run(args, options)
    if (result.startError)
      throw new DispatchError('tmux is not installed, or not on PATH', {
        exitCode: exitCodes.dependency,
        remedy: 'Install it: `brew install tmux` or `apt-get install tmux`.',
      })
    if (result.exitCode !== 0)
      throw new DispatchError(`tmux failed (socket ${this.socket}): ${result.stderr.trim()}`, {
        exitCode: exitCodes.dependency,
        remedy: 'Run `dispatch doctor`.',
      })
    return result
  }
}
