import { execa } from 'execa'

/** What a finished program left behind. `code` is undefined when a signal or our own deadline ended it. */
export interface Ran {
  code: number | undefined
  signal: string | undefined
  timedOut: boolean
  /** Set when the program could not be started at all, such as `ENOENT`. */
  unstartable: string | undefined
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
  deadline?: number
  /** Characters of each stream that are kept; the rest is dropped and the program goes on. */
  keep?: number
}

/**
 * Run a program to its end: argv only, no shell, its own process group. Never throws for what the program does;
 * the group is killed at its end or at the deadline, so a grandchild cannot hold us: not even one that left the group,
 * for its hold on our pipes is waited out only so long.
 */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, input, deadline, keep = 4 * 1024 * 1024 } = options
  const started = performance.now()
  const child = execa(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    reject: false,
    detached: true,
    cleanup: false,
    stripFinalNewline: false,
    buffer: false,
  })
  const stdout = collect(child.stdout, keep)
  const stderr = collect(child.stderr, keep)
  let timedOut = false
  const endGroup = () => killGroup(child.pid)
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          endGroup()
        }, deadline)
  child.nodeChildProcess.once('exit', () => {
    clearTimeout(timer)
    endGroup()
    setTimeout(() => [child.stdout, child.stderr].forEach(stream => void stream?.destroy()), lastWords).unref()
  })
  const result = await child
  clearTimeout(timer)
  return {
    code: result.exitCode,
    signal: result.signal,
    timedOut,
    unstartable:
      result.exitCode === undefined && result.signal === undefined ? (result.code ?? result.shortMessage) : undefined,
    stdout: stdout(),
    stderr: stderr(),
    milliseconds: Math.round(performance.now() - started),
  }
}

/** Milliseconds in which what a program wrote before its end is read, when somebody else still holds its pipes. */
const lastWords = 250

/** Start a program that outlives us and is told nothing more: a push, a page server. */
export function startApart(program: string, args: string[], env: NodeJS.ProcessEnv): void {
  const child = execa(program, args, {
    env,
    extendEnv: false,
    detached: true,
    stdio: 'ignore',
    cleanup: false,
    reject: false,
  })
  child.nodeChildProcess.unref()
}

/** Put a program in our place at the terminal (attach, a pager) and answer its exit code. */
export async function runInTerminal(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const result = await execa(program, args, { env, extendEnv: false, stdio: 'inherit', reject: false })
  return result.exitCode ?? 1
}

function collect(stream: NodeJS.ReadableStream | undefined, keep: number): () => string {
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
