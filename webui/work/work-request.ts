import type { Readable } from 'node:stream'
import { openWork, type SessionPaths, UnreadableWork, type WorkReader } from '#session/readonly.ts'
import { buildFilePage, type FilePage } from '../pages/file.ts'
import { buildFolderPage, type FolderPage, selectEntries } from '../pages/folder.ts'
import type { WorkData } from '../pages/work.ts'
import { rawFilePolicy, svgFilePolicy } from '../request-policy.ts'
import { buildDisposition, type FileAddress } from './file-address.ts'
import { detectImage, formatSize } from './file-content.ts'
import { MAX_DOWNLOAD_BYTES, readFileData } from './read-file.ts'

/** What a request for the files of a session gets. */
export type WorkAnswer =
  | { kind: 'folder'; page: FolderPage }
  | { kind: 'file'; page: FilePage }
  | { kind: 'content'; content: Content }
  /** There is no such file, or it cannot be shown. */
  | { kind: 'problem'; status: 403 | 404 | 503; message: string }

/** The content of a file, to be sent as it is. */
export interface Content {
  headers: Record<string, string>
  /** Undefined if the browser has it already. */
  stream: AsyncGenerator<Buffer> | Readable | undefined
  close(): unknown
}

const MAX_IMAGE_BYTES = 10 * 1024 * 1024
const MAX_POINTER_BYTES = 2048

/** Read what the section of a session's page needs. A problem is a sentence on the page, and never an error of the page. */
export async function readWorkData(paths: SessionPaths, signal: AbortSignal): Promise<WorkData> {
  let work: WorkReader | undefined
  try {
    work = await openWork(paths, signal)
    return { work, changes: await work?.listChanges(), problem: '' }
  } catch (error) {
    if (error instanceof UnreadableWork) return { work, changes: undefined, problem: error.message }
    throw error
  }
}

/**
 * Answer a request for a page or the content of a file. `knownTag`: the `If-None-Match` of the request. Never throws for what is in
 * the repository.
 */
export async function answerWorkRequest(
  paths: SessionPaths,
  address: FileAddress,
  { signal, knownTag = '' }: { signal: AbortSignal; knownTag?: string | undefined },
): Promise<WorkAnswer> {
  try {
    const work = await openWork(paths, signal)
    if (work === undefined) return createProblem('This session has no files yet.')
    return address.view === 'tree'
      ? await answerPage(paths, work, address)
      : await answerContent(work, address, knownTag)
  } catch (error) {
    if (!(error instanceof UnreadableWork)) throw error
    const isForNow = error.reason === 'busy' || error.reason === 'too slow' || error.reason === 'aborted'
    return createProblem(error.message, isForNow ? 503 : 404)
  }
}

// --- internal ---

async function answerPage(paths: SessionPaths, work: WorkReader, address: FileAddress): Promise<WorkAnswer> {
  const { sessionId, names, query } = address
  const current = await work.find(work.tree, names)
  const tree = current ? work.tree : work.baseTree
  const entry = current ?? (await work.find(work.baseTree, names))
  if (entry === undefined) return createProblem('There is no such file in this session.')
  const changes = await readChanges(work)
  if (entry.kind !== 'folder') {
    const place = { paths, sessionId, names, entry, tree, changes, wanted: query.get('view') ?? '' }
    return { kind: 'file', page: buildFilePage(await readFileData(work, place)) }
  }
  const all = await work.listFolder(entry.hash)
  const { page, entries } = selectEntries(all, Number(query.get('page') ?? 1))
  const files = entries.filter(({ kind }) => kind === 'file')
  const sizes = await work.measure(files.map(({ hash }) => hash))
  const folder = { sessionId, work, names, entries, count: all.length, page, sizes, changes }
  return { kind: 'folder', page: buildFolderPage(folder) }
}

/** A folder or a file can be shown without them. */
async function readChanges(work: WorkReader) {
  try {
    return (await work.listChanges()).files
  } catch (error) {
    if (error instanceof UnreadableWork && error.reason !== 'aborted') return []
    throw error
  }
}

async function answerContent(work: WorkReader, address: FileAddress, knownTag: string): Promise<WorkAnswer> {
  const { view, tree, names } = address
  if (tree !== work.tree && tree !== work.baseTree)
    return createProblem('This is a file of another round. Open it again from the page of its session.')
  const entry = await work.find(tree, names)
  if (entry?.kind !== 'file') return createProblem('There is no such file in this session.')
  if (view === 'lfs') return answerLfsContent(work, entry.hash, names)
  const headers = { ETag: `"${entry.hash}"`, 'Cache-Control': 'private, max-age=31536000, immutable' }
  if (knownTag === headers.ETag)
    return { kind: 'content', content: { headers, stream: undefined, close: () => undefined } }
  const { size, content, close } = await work.open(entry.hash)
  const limit = view === 'raw' ? MAX_IMAGE_BYTES : MAX_DOWNLOAD_BYTES
  if (size > limit) {
    await close()
    return createProblem(`This file is larger than ${formatSize(limit)}, so it is not sent.`, 403)
  }
  const first = await content.next()
  const type = view === 'raw' && !first.done ? detectImage(first.value) : undefined
  const stream = prepend(first, content)
  const typeHeaders = type === undefined ? buildDownloadHeaders(names) : buildImageHeaders(type)
  return {
    kind: 'content',
    content: { headers: { ...headers, ...typeHeaders, 'Content-Length': String(size) }, stream, close },
  }
}

async function answerLfsContent(work: WorkReader, hash: string, names: string[]): Promise<WorkAnswer> {
  const { bytes } = await work.read(hash, MAX_POINTER_BYTES)
  const pointer = work.parsePointer(bytes)
  const isTooLarge = pointer !== undefined && pointer.bytes > MAX_DOWNLOAD_BYTES
  const stream = pointer && !isTooLarge ? await work.openLfsContent(pointer) : undefined
  if (!pointer || !stream) return createProblem('The session does not have the content of this Git LFS pointer.')
  const headers = {
    ETag: `"${pointer.oid}"`,
    'Cache-Control': 'private, max-age=31536000, immutable',
    ...buildDownloadHeaders(names),
    'Content-Length': String(pointer.bytes),
  }
  return { kind: 'content', content: { headers, stream, close: () => stream.destroy() } }
}

function buildDownloadHeaders(names: string[]): Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': buildDisposition(names.join('/')),
    'Content-Security-Policy': rawFilePolicy,
  }
}

function buildImageHeaders(type: string): Record<string, string> {
  const policy = type === 'image/svg+xml' ? svgFilePolicy : rawFilePolicy
  return { 'Content-Type': type, 'Content-Disposition': 'inline', 'Content-Security-Policy': policy }
}

async function* prepend(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done) return
  try {
    yield first.value
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

function createProblem(message: string, status: 403 | 404 | 503 = 404): WorkAnswer {
  return { kind: 'problem', status, message }
}
