import { type ChildProcess, type IOType, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import { setAwakeTimeout } from './awake-clock.ts'
import { exitCodes } from './error.ts'
import { sendSignal } from './process/proc.ts'

/** The result of a program that has ended. `exitCode` is undefined when a signal or the timeout ended it. */
export interface RunResult {
  exitCode: number | undefined
  signal: string | undefined
  timedOut: boolean
  /** The error code when the program could not be started, such as `ENOENT`. */
  startError: string | undefined
  stdout: string
  stderr: string
  milliseconds: number
}

export interface RunOptions {
  cwd?: string
  /** The whole environment: nothing is inherited when it is set. */
  env?: Record<string, string>
  input?: string | Uint8Array
  /** Milliseconds after which the program and its process group are killed. Sleep of the machine does not count. */
  timeoutMs?: number
  /** Ends the program and its process group when it aborts, by SIGTERM, so that it can end what it has started. */
  end?: AbortSignal
  /** Bytes of each stream that are kept. The rest is dropped, and the program runs on. */
  maxOutputBytes?: number
  /** Of a longer stream, keep its first and its last half of that, with a line between them, instead of its beginning. */
  keepsEnd?: boolean
  /** How the bytes of standard output become text. `latin1` keeps every byte; UTF-8 by default. */
  encoding?: 'latin1'
  /** Its file descriptors from 3 on, and who is given the child to read them. */
  moreFiles?: { stdio: (number | 'pipe' | 'ignore')[]; read(child: ChildProcess): void }
  /**
   * It may ask a person: it stays in the foreground, reads from this terminal, and its errors are shown there. It shares the
   * process group of this process, so `kill` ends it at the timeout.
   */
  foreground?: { kill(pid: number): unknown }
}

/**
 * Run a program to its end: an argv without a shell, in its own process group. Never throws for what the program does.
 * The group is killed at the end and at the timeout, so that a grandchild cannot block the caller. One that left the
 * group and holds the pipes is waited for 250 ms. execa is not used here, because loading it costs every process 90 ms
 * and 24 MB (docs/decisions/0009).
 */
export async function runProgram(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const {
    cwd,
    env,
    input,
    timeoutMs,
    end,
    maxOutputBytes = MAX_OUTPUT_BYTES,
    keepsEnd = false,
    foreground,
    moreFiles,
  } = options
  const startedAt = performance.now()
  const ownFiles: IOType[] = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  const standardFiles: IOType[] = foreground ? ['inherit', 'pipe', 'inherit'] : ownFiles
  const child = spawnProgram(program, args, {
    cwd,
    env,
    stdio: [...standardFiles, ...(moreFiles?.stdio ?? [])],
    detached: !foreground,
  })
  if ('startError' in child) return child
  moreFiles?.read(child)
  child.stdin?.on('error', () => undefined) // The program may end without reading its input.
  child.stdin?.end(input)
  const readStdout = collectOutput(child.stdout, maxOutputBytes, keepsEnd, options.encoding)
  const readStderr = collectOutput(child.stderr, maxOutputBytes, keepsEnd)
  let timedOut = false
  let startError: string | undefined
  const stop = () => {
    timedOut = true
    if (foreground && child.pid !== undefined) foreground.kill(child.pid)
    else killGroup(child.pid)
  }
  const terminate = () => child.pid !== undefined && sendSignal(-child.pid, 'SIGTERM')
  end?.addEventListener('abort', terminate)
  if (end?.aborted) terminate()
  const timer = timeoutMs === undefined ? undefined : setAwakeTimeout(stop, timeoutMs)
  child.once('exit', () => {
    timer?.clear()
    if (!foreground) killGroup(child.pid)
    setTimeout(() => stopReading(child, Date.now() + OUTPUT_GRACE_MS), OUTPUT_GRACE_MS).unref()
  })
  child.once('error', (error: NodeJS.ErrnoException) => {
    startError = error.code ?? error.message
  })
  return new Promise(resolve => {
    child.once('close', (code, signal) => {
      timer?.clear()
      end?.removeEventListener('abort', terminate)
      resolve({
        exitCode: startError ? undefined : (code ?? undefined),
        signal: signal ?? undefined,
        timedOut,
        startError,
        stdout: readStdout(),
        stderr: readStderr(),
        milliseconds: Math.round(performance.now() - startedAt),
      })
    })
  })
}

/** The output of a program that ends at once, without giving way to anything else; empty if it fails. */
export function runAndWait(program: string, args: string[]): string {
  const { status, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: BRIEF_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  return status === 0 ? stdout : ''
}

/**
 * Start a program that outlives this process: a new session, no terminal, its errors appended to `log`, and its output too unless
 * `isOutputLogged` is false. Resolves to its
 * exit code if it ends while this process runs: 0 for a signal, -1 when it could not be started. Does not keep this
 * process alive.
 */
export function startDetached(
  program: string,
  args: string[],
  { env, log, isOutputLogged = true }: { env: Record<string, string>; log: string; isOutputLogged?: boolean },
): Promise<number> {
  const logFd = fs.openSync(log, 'a', 0o600)
  const child = spawnProgram(program, args, {
    env,
    cwd: '/',
    stdio: ['ignore', isOutputLogged ? logFd : 'ignore', logFd],
  })
  fs.closeSync(logFd)
  if ('startError' in child) return Promise.resolve(-1)
  child.unref()
  return new Promise(resolve => {
    child.once('error', () => resolve(-1))
    child.once('exit', code => resolve(code ?? 0))
  })
}

/** Hand the terminal to a program. Returns its exit code, and what it wrote to stderr if that is not shown. */
export async function runInTerminal(
  program: string,
  args: string[],
  env = process.env,
  { hidesErrors = false } = {},
): Promise<{ exitCode: number; errors: string }> {
  const { execa } = await import('execa')
  const stderr = hidesErrors ? 'pipe' : 'inherit'
  const options = { env, extendEnv: false, stdin: 'inherit', stdout: 'inherit', stderr, reject: false } as const
  const result = await execa(program, args, options)
  return { exitCode: result.exitCode ?? exitCodes.internal, errors: result.stderr ?? '' }
}

/** A program on PATH, with links resolved, so that another version is another file; empty when not found. */
export function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): string {
  const folders = searchPath.split(path.delimiter).filter(Boolean)
  const file = folders.map(folder => path.join(folder, name)).find(isProgram)
  return file === undefined ? '' : fs.realpathSync(file)
}

/** Is this an executable file, or a link to one? */
export function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

// --- internal ---

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

const BRIEF_TIMEOUT_MS = 10_000

/** How long output is still read after the program has ended, when another process holds its pipes. */
const OUTPUT_GRACE_MS = 250

/** Node emits some start errors as events and throws others, such as arguments that are too long (E2BIG). */
function spawnProgram(program: string, args: string[], options: SpawnOptions): ChildProcess | RunResult {
  try {
    return spawn(program, args, { detached: true, ...options })
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error && 'code' in error)) throw error
    const empty = { exitCode: undefined, signal: undefined, stdout: '', stderr: '', milliseconds: 0 }
    return { ...empty, timedOut: false, startError: String(error.code) }
  }
}

/** Collect the first bytes of a stream; with `keepsEnd`, half of them from its end. */
function collectOutput(
  stream: NodeJS.ReadableStream | null,
  maxBytes: number,
  keepsEnd: boolean,
  encoding: BufferEncoding = 'utf8',
): () => string {
  const maxEndBytes = keepsEnd ? Math.floor(maxBytes / 2) : 0
  const maxStartBytes = maxBytes - maxEndBytes
  const start: Buffer[] = []
  const end: Buffer[] = []
  let size = 0
  let endSize = 0
  stream?.on('data', (chunk: Buffer) => {
    const room = Math.max(0, maxStartBytes - size)
    size += chunk.length
    if (room > 0) start.push(chunk.subarray(0, room))
    if (maxEndBytes === 0 || chunk.length <= room) return
    end.push(chunk.subarray(room))
    endSize += chunk.length - room
    for (let [first] = end; first && endSize - first.length >= maxEndBytes; [first] = end) {
      endSize -= first.length
      end.shift()
    }
  })
  return () => {
    const [first, last] = [Buffer.concat(start), Buffer.concat(end).subarray(-maxEndBytes)]
    const leftOut = size - first.length - last.length
    return leftOut > 0 && keepsEnd
      ? `${first}\n[${leftOut} bytes are left out]\n${last}`
      : Buffer.concat([first, last]).toString(encoding)
  }
}

/**
 * Stop reading the output of a program that has ended, once there is nothing more to read, or at this time. If this process was
 * busy meanwhile, the timer is due before anything was read: an immediate comes after the next read.
 */
function stopReading(child: ChildProcess, endMs: number): void {
  const streams = [child.stdout, child.stderr] as (Socket | null)[]
  const countBytes = () => streams.reduce((sum, stream) => sum + (stream?.bytesRead ?? 0), 0)
  const before = countBytes()
  setImmediate(() => {
    if (countBytes() > before && Date.now() < endMs) stopReading(child, endMs)
    else for (const stream of streams) stream?.destroy()
  })
}

function killGroup(leaderPid: number | undefined): void {
  if (leaderPid !== undefined) sendSignal(-leaderPid, 'SIGKILL')
}
