import { createHash } from 'node:crypto'
import { explainAudit, type SessionRepository } from './bare-git.ts'
import { streamBareGit, UnreadableWork } from './bounded-git.ts'

/** The content of a file as git has it. */
export interface OpenBlob {
  /** Its whole size in bytes. */
  size: number
  /** Its bytes. They are compared with their hash before the last part is yielded; {@link UnreadableWork} if they differ. */
  content: AsyncGenerator<Buffer>
  /** End git, if the content is not read. */
  close(): Promise<unknown>
}

/** Open a blob by its hash, with its size. Throws an {@link UnreadableWork} if it is not there. */
export async function openBlob(
  repository: SessionRepository,
  hash: string,
  { signal, isDownload = false }: { signal?: AbortSignal | undefined; isDownload?: boolean } = {},
): Promise<OpenBlob> {
  const input = `${hash}\n`
  const chunks = streamBareGit(repository, ['cat-file', '--batch'], { input, signal, isDownload })
  let head: Buffer = Buffer.alloc(0)
  while (!head.includes('\n') && head.length < MAX_HEADER_BYTES) {
    const { value, done } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const headerEnd = head.indexOf('\n')
  const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(head.subarray(0, headerEnd).toString('latin1')) ?? []
  if (size === undefined) {
    await chunks.return(undefined)
    throw new UnreadableWork('missing', 'The repository of this session does not have this file any more.')
  }
  const content = yieldContent(repository, { hash, size: Number(size) }, head.subarray(headerEnd + 1), chunks)
  return { size: Number(size), content, close: () => chunks.return(undefined) }
}

/** Read a blob up to `maxBytes`. If it is longer, the rest is not read, and the hash is not compared. */
export async function readBlob(
  repository: SessionRepository,
  hash: string,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal | undefined },
): Promise<{ bytes: Buffer; size: number }> {
  const { size, content } = await openBlob(repository, hash, { signal })
  const chunks: Buffer[] = []
  let count = 0
  for await (const chunk of content) {
    chunks.push(chunk)
    count += chunk.length
    if (count > maxBytes) break
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), size }
}

// --- internal ---

const MAX_HEADER_BYTES = 256
const SHA256_DIGITS = 64

async function* yieldContent(
  repository: SessionRepository,
  { hash, size }: { hash: string; size: number },
  first: Buffer,
  chunks: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  const digest = createHash(hash.length === SHA256_DIGITS ? 'sha256' : 'sha1').update(`blob ${size}\0`)
  let left = size
  let held: Buffer | undefined
  const take = (chunk: Buffer) => {
    const part = chunk.subarray(0, left) // A line break follows the content.
    left -= part.length
    digest.update(part)
    return part.length === 0 ? undefined : part
  }
  try {
    held = take(first)
    for await (const chunk of chunks) {
      const next = take(chunk)
      if (next === undefined) continue
      if (held !== undefined) yield held
      held = next
    }
  } finally {
    await chunks.return(undefined)
  }
  if (left > 0 || digest.digest('hex') !== hash)
    throw new UnreadableWork('damaged', `This file does not match its hash. ${explainAudit(repository)}`)
  if (held !== undefined) yield held
}
