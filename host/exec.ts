import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { exitCodes } from './error.ts'

/** What a finished program left behind. `code` is undefined when a signal or our own deadline ended it. */
export interface RunResult {
  exitCode: number | undefined
  signal: string | undefined
  timedOut: boolean
  /** Set when the program could not be started at all, such as `ENOENT`. */
  startError: string | undefined
  stdout: string
  stderr: string
  milliseconds: number
}

export interface RunOptions {
  cwd?: string
  /** The whole environment; nothing is inherited when it is given. */
  env?: Record<string, string>
  input?: string | Uint8Array
  /** Milliseconds after which the program and all it started are killed. */
  timeoutMs?: number
  /** Characters of each stream that are kept; the rest is dropped and the program goes on. */
  maxOutputChars?: number
}

/**
 * Run a program to its end: argv only, no shell, its own process group. Never throws for what the program does;
 * the group is killed at its end or at the deadline, so a grandchild cannot hold us: not even one that left the group,
 * for its hold on our pipes is waited out only so long. (Our own, and not execa: loading that costs each of our processes
 * 90 ms and 24 MB, and every check goes through here. docs/decisions/0009.)
 */
export async function runProgram(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd, env, input, timeoutMs, maxOutputChars = 4 * 1024 * 1024 } = options
  const started = performance.now()
  const child = spawnProgram(program, args, {
    cwd,
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  if ('startError' in child) return child
  child.stdin?.on('error', () => undefined) // It may end without reading its input.
  child.stdin?.end(input)
  const stdout = collectOutput(child.stdout, maxOutputChars)
  const stderr = collectOutput(child.stderr, maxOutputChars)
  let timedOut = false
  let startError: string | undefined
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          killGroup(child.pid)
        }, timeoutMs)
  child.once('exit', () => {
    clearTimeout(timer)
    killGroup(child.pid)
    setTimeout(() => [child.stdout, child.stderr].forEach(stream => void stream?.destroy()), OUTPUT_GRACE_MS).unref()
  })
  child.once('error', (error: NodeJS.ErrnoException) => {
    startError = error.code ?? error.message
  })
  return new Promise(resolve => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const milliseconds = Math.round(performance.now() - started)
      resolve({
        exitCode: startError ? undefined : (code ?? undefined),
        signal: signal ?? undefined,
        timedOut,
        startError,
        stdout: stdout(),
        stderr: stderr(),
        milliseconds,
      })
    })
  })
}

/** Node emits some failures to start as an event and throws the others, such as arguments that are too long (E2BIG). */
function spawnProgram(program: string, args: string[], options: SpawnOptions): ChildProcess | RunResult {
  try {
    return spawn(program, args, { ...options, detached: true })
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error && 'code' in error)) throw error
    const nothing = { exitCode: undefined, signal: undefined, stdout: '', stderr: '', milliseconds: 0 }
    return { ...nothing, timedOut: false, startError: String(error.code) }
  }
}

/**
 * Start a program that outlives us: a session of its own, no terminal, its words at the end of `log`. Answers its exit code
 * should it end while we are there: 0 for a signal and -1 for one that could not be started. It keeps nobody waiting.
 */
export function startDetached(
  program: string,
  args: string[],
  { env, log }: { env: Record<string, string>; log: string },
): Promise<number> {
  const words = fs.openSync(log, 'a', 0o600)
  const child = spawnProgram(program, args, { env, cwd: '/', stdio: ['ignore', words, words] })
  fs.closeSync(words)
  if ('startError' in child) return Promise.resolve(-1)
  child.unref()
  return new Promise(resolve => {
    child.once('error', () => resolve(-1))
    child.once('exit', code => resolve(code ?? 0))
  })
}

/** Milliseconds in which what a program wrote before its end is read, when somebody else still holds its pipes. */
const OUTPUT_GRACE_MS = 250

/** Put a program in our place at the terminal (attach, a pager) and answer its exit code. */
export async function runInTerminal(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const { execa } = await import('execa')
  const result = await execa(program, args, { env, extendEnv: false, stdio: 'inherit', reject: false })
  return result.exitCode ?? exitCodes.internal
}

function collectOutput(stream: NodeJS.ReadableStream | null, keep: number): () => string {
  const kept: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    if (size < keep) kept.push(chunk.subarray(0, keep - size))
    size += chunk.length
  })
  return () => Buffer.concat(kept).toString('utf8')
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // The group is gone: what we wanted.
  }
}

/** The file that a bare name on PATH stands for, links followed (so that another version is another file); empty when there is none. */
export function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): string {
  for (const folder of searchPath.split(path.delimiter).filter(Boolean)) {
    try {
      const file = fs.realpathSync(path.join(folder, name))
      fs.accessSync(file, fs.constants.X_OK)
      if (fs.statSync(file).isFile()) return file
    } catch {} // Not here.
  }
  return ''
}
