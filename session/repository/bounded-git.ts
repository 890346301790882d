import { GitStreamError, streamGit } from '#host/git/stream'
import { sanitize } from '#host/text.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { explainAudit, findForeignConfig, type SessionRepository } from './bare-git.ts'
import { createSemaphore, type Semaphore } from './semaphore.ts'

/** Why files of the work cannot be shown. */
export class UnreadableWork extends Error {
  readonly reason: 'missing' | 'damaged' | 'busy' | 'too slow' | 'too large' | 'aborted'

  constructor(reason: UnreadableWork['reason'], message: string) {
    super(message)
    this.name = 'UnreadableWork'
    this.reason = reason
  }
}

/** What a reader asks of git. */
export interface BoundedOptions {
  input?: string
  signal?: AbortSignal | undefined
  /** For a file that is sent whole: it may take longer, and has slots of its own. */
  isDownload?: boolean
}

/**
 * Yield what git prints in a session's bare repository, for a reader that may go away. Few run at a time, each for at most ten
 * seconds (a download: five minutes). Git does not run in a repository that has any configuration of others. Throws an
 * {@link UnreadableWork}.
 */
export async function* streamBareGit(
  repository: SessionRepository,
  args: string[],
  { input, signal, isDownload = false }: BoundedOptions = {},
): AsyncGenerator<Buffer> {
  const { slots, timeoutMs } = isDownload ? downloads : reads
  const release = await slots.take(signal)
  if (release === undefined) {
    if (signal?.aborted) throw new UnreadableWork('aborted', 'The reader has gone away.')
    throw new UnreadableWork('busy', 'Too many files are being read. Try again in a moment.')
  }
  try {
    requireReadable(repository)
    const fullArgs = ['--git-dir', repository.bareRepository, ...args]
    yield* streamGit(fullArgs, { timeoutMs, signal, ...(input !== undefined && { input }) })
  } catch (error) {
    throw error instanceof GitStreamError ? toUnreadableWork(error) : error
  } finally {
    release()
  }
}

/** Collect what git prints, up to `maxBytes`. If there is more, the rest is not read and `isCut` is true. */
export async function readBareGit(
  repository: SessionRepository,
  args: string[],
  { maxBytes, ...options }: BoundedOptions & { maxBytes: number },
): Promise<{ bytes: Buffer; isCut: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of streamBareGit(repository, args, options)) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) break
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut: size > maxBytes }
}

// --- internal ---

const reads: { slots: Semaphore; timeoutMs: number } = { slots: createSemaphore(4, 64), timeoutMs: 10 * SECOND_MS }
const downloads: { slots: Semaphore; timeoutMs: number } = { slots: createSemaphore(4, 16), timeoutMs: 5 * MINUTE_MS }

function requireReadable(repository: SessionRepository): void {
  const foreign = findForeignConfig(repository)
  if (foreign === undefined) return
  const message =
    foreign === 'it is not a folder'
      ? 'The repository of this session is not there.'
      : `The repository of this session is not as dispatch made it (${sanitize(foreign)}), so git does not run there.`
  throw new UnreadableWork('damaged', `${message} ${explainAudit(repository)}`)
}

function toUnreadableWork({ reason, message }: GitStreamError): UnreadableWork {
  if (reason === 'aborted') return new UnreadableWork('aborted', 'The reader has gone away.')
  if (reason === 'timed out')
    return new UnreadableWork('too slow', 'Git took too long for this, so it was stopped. Look at it with git itself.')
  if (reason === 'not started') return new UnreadableWork('damaged', `Git does not start: ${sanitize(message)}`)
  return new UnreadableWork('damaged', `Git cannot read this: ${sanitize(message)}`)
}
