import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DispatchError, exitCodes, isErrno } from './error.ts'
import { toStorageError } from './fs/storage-error.ts'

/** What an archive contains, in its order, with paths below its one top folder. */
interface Entry {
  name: string
  kind: 'file' | 'folder' | 'link'
  isExecutable: boolean
  content: Buffer
  target: string
}

/**
 * Unpack a tar archive, gzipped or not, into a new folder, without the one top folder that it must have. Exit 2 for a file that is no
 * whole archive, or has an entry that leaves the folder or is no file, folder or link. Then the folder may hold a part.
 */
export function unpackTar(file: string, folder: string): void {
  const entries = [...readEntries(readArchive(file), file)]
  const tops = new Set(entries.map(({ name }) => name.split('/')[0]))
  if (tops.size !== 1) throw refuse(file, `it has ${tops.size} entries at its top, and one folder is needed`)
  fs.mkdirSync(folder)
  const placed = entries.flatMap(entry => {
    const [, ...rest] = entry.name.split('/')
    return rest.length === 0 ? [] : [{ ...entry, place: path.join(folder, ...rest) }]
  })
  const links = placed.filter(({ kind }) => kind === 'link')
  try {
    for (const { kind, place, content, isExecutable } of placed) {
      fs.mkdirSync(kind === 'folder' ? place : path.dirname(place), { recursive: true })
      if (kind === 'file') fs.writeFileSync(place, content, { flag: 'wx', mode: isExecutable ? 0o755 : 0o644 })
    }
    for (const { target, place } of links) fs.symlinkSync(target, place) // Nothing is written through them any more.
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOTDIR', 'EISDIR')) throw refuse(file, `it has a name twice (${error})`)
    throw toStorageError(folder, error)
  }
  for (const { place } of links) requireInside(place, folder, file)
}

/** The commit that `git archive` names in an archive; undefined in another one. */
export function readArchivedCommit(file: string): string | undefined {
  const bytes = readArchive(file)
  if (readText(bytes, 156, 1) !== 'g') return undefined
  const comment = parseRecords(bytes.subarray(BLOCK_BYTES, BLOCK_BYTES + readSize(bytes, file))).get('comment')
  return comment !== undefined && /^[0-9a-f]{40}$/.test(comment) ? comment : undefined
}

// --- internal ---

const BLOCK_BYTES = 512
const MAX_ARCHIVE_BYTES = 500 << 20

function readArchive(file: string): Buffer {
  const bytes = fs.readFileSync(file)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_ARCHIVE_BYTES })
  } catch (error) {
    throw refuse(file, error instanceof Error ? error.message : String(error))
  }
}

function* readEntries(bytes: Buffer, file: string): Generator<Entry> {
  let more = new Map<string, string>()
  for (let at = 0; ; ) {
    const header = bytes.subarray(at, at + BLOCK_BYTES)
    if (header.length < BLOCK_BYTES) throw refuse(file, 'it ends too early')
    if (header.every(byte => byte === 0)) return
    requireChecksum(header, file)
    const size = more.has('size') ? Number(more.get('size')) : readSize(header, file)
    const content = bytes.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + size)
    if (content.length < size) throw refuse(file, 'it ends too early')
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
    const type = readText(header, 156, 1)
    if (type === 'g') continue
    if (type === 'x') more = new Map([...more, ...parseRecords(content)])
    else if (type === 'L') more.set('path', content.toString('utf8').replace(/\0.*$/s, ''))
    else if (type === 'K') more.set('linkpath', content.toString('utf8').replace(/\0.*$/s, ''))
    else {
      yield toEntry(header, type, content, more, file)
      more = new Map()
    }
  }
}

function toEntry(header: Buffer, type: string, content: Buffer, more: Map<string, string>, file: string): Entry {
  const isUstar = readText(header, 257, 5) === 'ustar'
  const prefix = isUstar ? readText(header, 345, 155) : ''
  const name = (more.get('path') ?? `${prefix === '' ? '' : `${prefix}/`}${readText(header, 0, 100)}`).replace(
    /\/+$/,
    '',
  )
  const isSafe = name !== '' && name.split('/').every(part => !['', '.', '..'].includes(part)) && !name.includes('\0')
  if (!isSafe) throw refuse(file, `the name ${JSON.stringify(name)} leaves the folder`)
  const kind = kinds.get(type)
  if (kind === undefined) throw refuse(file, `${JSON.stringify(name)} is no file, folder or symbolic link`)
  const isExecutable = (Number.parseInt(readText(header, 100, 8), 8) & 0o100) !== 0
  return { name, kind, isExecutable, content, target: more.get('linkpath') ?? readText(header, 157, 100) }
}

const kinds = new Map<string, Entry['kind']>([
  ['', 'file'],
  ['0', 'file'],
  ['2', 'link'],
  ['5', 'folder'],
])

/** Records as pax has them: `LENGTH NAME=VALUE`, each with a newline. Pure. */
function parseRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.subarray(at, at + 20).toString('latin1'), 10)
    if (!(length > 0)) break
    const [, name, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(bytes.subarray(at, at + length).toString('utf8')) ?? []
    if (name !== undefined && value !== undefined) records.set(name, value)
    at += length
  }
  return records
}

function requireChecksum(header: Buffer, file: string): void {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (sum !== Number.parseInt(readText(header, 148, 8), 8)) throw refuse(file, 'it is damaged, or no tar archive')
}

function readSize(header: Buffer, file: string): number {
  const size = Number.parseInt(readText(header, 124, 12), 8)
  if (size >= 0) return size
  throw refuse(file, 'it is damaged, or no tar archive')
}

function readText(block: Buffer, start: number, length: number): string {
  return block
    .subarray(start, start + length)
    .toString('utf8')
    .replace(/\0.*$/s, '')
}

/** A link whose end is missing could lead anywhere later. */
function requireInside(link: string, folder: string, file: string): void {
  const top = fs.realpathSync(folder)
  const isInside = fs.existsSync(link) && `${fs.realpathSync(link)}/`.startsWith(`${top}/`)
  if (!isInside)
    throw refuse(file, `the link ${JSON.stringify(path.relative(folder, link))} leads out of the folder, or nowhere`)
}

function refuse(file: string, reason: string): DispatchError {
  return new DispatchError(`${file} cannot be unpacked: ${reason}`, {
    exitCode: exitCodes.usage,
    remedy: 'Nothing was changed. Make the tarball again, with `git archive` or `npm pack`.',
  })
}
