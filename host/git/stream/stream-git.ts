import { spawn } from 'node:child_process'
import { buildGitEnvironment, safeOptions } from '../git.ts'

/** How long git may read, and for whom. */
export interface StreamOptions {
  /** Its standard input. */
  input?: string
  /** Milliseconds after which it is killed. */
  timeoutMs: number
  /** Kills it at once when it aborts: the reader has gone away. */
  signal?: AbortSignal | undefined
}

/** Why git gave no whole answer. */
export class GitStreamError extends Error {
  readonly reason: 'failed' | 'timed out' | 'not started' | 'aborted'

  constructor(reason: GitStreamError['reason'], message: string) {
    super(message)
    this.name = 'GitStreamError'
    this.reason = reason
  }
}

/**
 * Yield the output of a git that only reads, as it comes. It is killed when the consumer stops, at the timeout and when the
 * signal aborts; the generator ends after git. Attributes name no file outside of the repository, and a file of more than 16 MiB
 * is never compared. Throws a {@link GitStreamError}.
 */
export async function* streamGit(args: string[], { input, timeoutMs, signal }: StreamOptions): AsyncGenerator<Buffer> {
  if (signal?.aborted) throw createAbortError()
  const env = { ...buildGitEnvironment(), GIT_ATTR_NOSYSTEM: '1', GIT_PAGER: 'cat' }
  const child = spawn('git', [...safeOptions, ...readerOptions, ...args], { env, stdio: 'pipe' })
  let error: GitStreamError | undefined
  const stop = (reason: GitStreamError) => {
    error ??= reason
    child.kill('SIGKILL')
  }
  const abort = () => stop(createAbortError())
  const timer = setTimeout(() => stop(new GitStreamError('timed out', 'git ran out of time')), timeoutMs)
  signal?.addEventListener('abort', abort, { once: true })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = `${stderr}${text}`.slice(0, MAX_ERROR_CHARS)
  })
  const exited = new Promise<number | null>(resolve => {
    child.once('exit', resolve)
    child.once('error', cause => {
      error ??= new GitStreamError('not started', cause.message)
      resolve(null)
    })
  })
  child.stdin.on('error', () => undefined) // It may end without reading its input.
  child.stdin.end(input)
  try {
    for await (const chunk of child.stdout) yield chunk
    const exitCode = await exited
    if (error) throw error
    if (exitCode !== 0) throw new GitStreamError('failed', stderr.trim() || `exit ${exitCode}`)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    child.kill('SIGKILL')
    await exited
  }
}

// --- internal ---

const MAX_ERROR_CHARS = 4096

const readerOptions = [
  ...['-c', 'core.attributesFile=/dev/null'],
  ...['-c', 'core.bigFileThreshold=16m'],
  ...['-c', 'core.deltaBaseCacheLimit=16m'],
  ...['-c', 'diff.renameLimit=1000'],
]

function createAbortError(): GitStreamError {
  return new GitStreamError('aborted', 'the reader has gone away')
}
