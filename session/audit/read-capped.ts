import fs from 'node:fs'
import { DispatchError } from '#host/error.ts'
import { listNames, readUntrusted, toStorageError } from '#host/fs'
import { parseJson } from '#host/json.ts'

/** How many bytes of a file are read. Dispatch writes no longer ones. */
export const MAX_BYTES = { log: 32 << 20, record: 4 << 20, output: 16 << 20, index: 64 << 20 } as const

/** The reason of a file that does not exist. */
export const GONE = 'is gone'

/** The bytes of a plain file, or why it has no bytes to read: `is gone`, `is a link to somewhere else`. */
export type ReadResult = { file: string } & (
  | { bytes: Buffer; reason: undefined }
  | { bytes: undefined; reason: string }
)

/** Read a file that may have been put there to do harm: no link is followed. Exit 10 where the disk or this process is at fault. */
export function readCapped(file: string, maxBytes: number = MAX_BYTES.record): ReadResult {
  const refuse = (reason: string) => ({ file, bytes: undefined, reason })
  try {
    const bytes = readUntrusted(file, maxBytes + 1)
    if (bytes === undefined) return refuse(describeFileType(file))
    return bytes.length > maxBytes ? refuse(`is longer than ${maxBytes} bytes`) : { file, bytes, reason: undefined }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/\b(EIO|EMFILE|ENFILE)\b/.test(message)) throw toStorageError(file, error) // It says nothing about the record.
    // The message of a storage error begins with the path, which the problem names already.
    return refuse(`cannot be read (${error instanceof DispatchError ? message.replace(/^.*: /, '') : message})`)
  }
}

/** Parse the bytes that were read; undefined without bytes, or if they are not JSON. */
export function parseJsonBytes({ bytes }: ReadResult): unknown {
  return bytes === undefined ? undefined : parseJson(bytes.toString('utf8'))
}

/** Is this a folder itself, and not a link to one? False if it cannot be read. */
export function isFolder(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

/** List the names in a folder; none if it cannot be read. A file that should be there is reported by its own name. */
export function listReadableNames(folder: string): string[] {
  try {
    return listNames(folder).slice(0, MAX_NAMES)
  } catch {
    return []
  }
}

// --- internal ---

const MAX_NAMES = 20_000

function describeFileType(file: string): string {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stats) return GONE
  if (stats.isSymbolicLink()) return 'is a link to somewhere else'
  if (stats.isFile()) return stats.nlink > 1 ? 'is a hard link: the file has another name too' : 'cannot be read'
  return stats.isDirectory() ? 'is a folder' : 'is not a plain file'
}
