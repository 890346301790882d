import { quoteForShell } from '#host/shell-quote.ts'
import type { SessionPaths, WorkReader } from '#session/readonly.ts'
import type { FileData, FileShape } from '../pages/file.ts'
import type { WorkChange } from '../pages/work.ts'
import { buildFileAddress } from './file-address.ts'
import { decodeText, detectImage, formatSize, parseDiff, splitText } from './file-content.ts'
import { renderMarkdown } from './markdown.ts'

/** Where a file was found, and how it is wanted. */
export interface FilePlace {
  paths: SessionPaths
  sessionId: string
  names: readonly string[]
  entry: FileData['entry']
  tree: string
  changes: readonly WorkChange[]
  /** The shape that the address names; any text. */
  wanted: string
}

/** A larger file is not sent: git prints it. */
export const MAX_DOWNLOAD_BYTES = 50 * 1024 * 1024

const MAX_TEXT_BYTES = 512 * 1024
const MAX_MARKDOWN_BYTES = 64 * 1024
const MAX_COMPARED_BYTES = 2 * 1024 * 1024
const MAX_PROBED_BYTES = 8192

/** Read a file, link or submodule for its page, in the shape that is wanted or else fits best. Throws an `UnreadableWork`. */
export async function readFileData(work: WorkReader, place: FilePlace): Promise<FileData> {
  const { sessionId, names, entry, tree } = place
  const path = names.join('/')
  const change = place.changes.find(each => each.path === path)
  const data: FileData = {
    ...{ sessionId, work, names, entry, tree, change, size: undefined, shapes: [], shape: undefined },
    ...{ lines: [], diff: [], markdownHtml: '', images: [], remarks: [], download: '', lfsDownload: '', command: '' },
  }
  if (tree !== work.tree) data.remarks.push('The work deleted this file. This is its content in the base.')
  if (entry.kind === 'submodule') {
    data.remarks.push('A submodule: git keeps the commit of another repository here, and none of its files.')
    if (change?.oldMode === '160000') data.remarks.push(`Before the work it was at ${change.oldHash}.`)
    return data
  }
  const { bytes, size } = await work.read(entry.hash, MAX_TEXT_BYTES)
  data.size = size
  const text = decodeText(bytes)
  if (entry.kind === 'link') {
    const target = splitText(text ?? { text: bytes.toString('latin1'), encoding: '' }, false)
    return { ...data, ...target, shapes: ['text'], shape: 'text', remarks: ['The text is where the link leads.'] }
  }
  if (size <= MAX_DOWNLOAD_BYTES) data.download = buildFileAddress(sessionId, path, { view: 'download', tree })
  else data.command = buildPrintCommand(place)
  describePointer(work, place, bytes, data)
  const image = detectImage(bytes)
  const isMarkdown = text !== undefined && /\.(md|markdown)$/i.test(path) && size <= MAX_MARKDOWN_BYTES
  const before = await findComparable(work, change, text?.encoding)
  data.shapes = [
    ...(before !== undefined && size <= MAX_COMPARED_BYTES ? (['change'] as const) : []),
    ...(isMarkdown ? (['page'] as const) : []),
    ...(image ? (['image'] as const) : []),
    ...(text ? (['text'] as const) : []),
  ]
  const best = isMarkdown ? 'page' : image && image !== 'image/svg+xml' ? 'image' : data.shapes.find(isOften)
  data.shape = data.shapes.find(each => each === place.wanted) ?? best
  if (data.shape === 'image') data.images = listImages(place, work, change)
  if (data.shape === 'page' && text) data.markdownHtml = await renderPage(text.text, place)
  if (data.shape === 'change' && before) {
    const { bytes: diff, isCut } = await work.diff(before, entry.hash, MAX_TEXT_BYTES)
    const { lines, remarks } = parseDiff(diff, isCut)
    data.diff = lines
    data.remarks.push(...remarks, ...(lines.length === 0 ? ['The content is the same.'] : []))
  }
  if (data.shape === 'text' && text) {
    const { lines, remarks } = splitText(text, size > MAX_TEXT_BYTES)
    data.lines = lines
    data.remarks.push(...remarks)
  }
  if (data.shape === undefined) data.remarks.push('A binary file.')
  return data
}

// --- internal ---

/** A picture that is also text, as SVG is, is shown as a picture only on demand. */
function isOften(shape: FileShape): boolean {
  return shape === 'change' || shape === 'text'
}

/** The blob of the base that the file can be compared with as text; undefined if it cannot be compared. */
async function findComparable(work: WorkReader, change: WorkChange | undefined, encoding: string | undefined) {
  if (!change || change.oldHash === '' || change.hash === '' || change.oldMode === '160000') return undefined
  if (encoding === undefined || encoding.startsWith('UTF-16')) return undefined
  const { bytes, size } = await work.read(change.oldHash, MAX_PROBED_BYTES)
  const old = size <= MAX_COMPARED_BYTES ? decodeText(bytes) : undefined
  return old === undefined || old.encoding.startsWith('UTF-16') ? undefined : change.oldHash
}

function describePointer(work: WorkReader, { sessionId, names, tree }: FilePlace, bytes: Buffer, data: FileData): void {
  const pointer = work.parsePointer(bytes)
  if (pointer === undefined) return
  const size = formatSize(pointer.bytes)
  const isHere = work.hasLfsContent(pointer)
  const isSent = isHere && pointer.bytes <= MAX_DOWNLOAD_BYTES
  if (isSent) data.lfsDownload = buildFileAddress(sessionId, names.join('/'), { view: 'lfs', tree })
  const place = isSent ? '' : isHere ? ' It is too large to be sent.' : ' The session does not have its content.'
  data.remarks.push(`A pointer of Git LFS: git keeps this text in place of a file of ${size}.${place}`)
}

function listImages({ sessionId, names, tree }: FilePlace, work: WorkReader, change: WorkChange | undefined) {
  const after = { label: '', address: buildFileAddress(sessionId, names.join('/'), { view: 'raw', tree }) }
  if (!change || change.oldHash === '' || change.oldHash === change.hash || tree !== work.tree) return [after]
  const address = buildFileAddress(sessionId, change.oldPath, { view: 'raw', tree: work.baseTree })
  return [
    { label: 'Before', address },
    { ...after, label: 'After' },
  ]
}

function renderPage(text: string, { sessionId, names, tree }: FilePlace): Promise<string> {
  return renderMarkdown(text, {
    folder: names.slice(0, -1).join('/'),
    buildLink: path => buildFileAddress(sessionId, path),
    buildImage: path => buildFileAddress(sessionId, path, { view: 'raw', tree }),
  })
}

/** The name of the file is not in it: it may be one that a shell or a terminal takes for something else. */
function buildPrintCommand({ paths, entry }: FilePlace): string {
  return `git -C ${quoteForShell(paths.bareRepository)} cat-file blob ${entry.hash} > file`
}
