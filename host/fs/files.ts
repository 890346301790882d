import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '../error.ts'

const MAX_RECORD_BYTES = 64 * 1024

/**
 * Replace a file so that a reader, a crash or a full disk sees the old content or the new, never a part:
 * random sibling, every byte, fsync, rename, fsync of the folder. (`write-file-atomic` renames a truncated file over
 * the good one when the disk is full.)
 */
export function writeAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const sibling = path.join(path.dirname(file), `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    const fd = fs.openSync(sibling, 'wx', mode)
    try {
      fs.fchmodSync(fd, mode) // The mode asked for, whatever the umask.
      writeAll(fd, bytes)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(sibling, file)
    syncFolder(path.dirname(file))
  } catch (error) {
    fs.rmSync(sibling, { force: true })
    throw toStorageError(file, error)
  }
}

/**
 * Append one record as a line. The newline before it keeps a record torn by somebody's crash from swallowing
 * ours; one write call keeps two writers apart.
 */
export function appendLine(file: string, record: string): void {
  const bytes = Buffer.from(`\n${record}\n`)
  if (bytes.length > MAX_RECORD_BYTES) throw new Error(`a record of ${bytes.length} bytes is too long for ${file}`)
  try {
    const fd = fs.openSync(file, 'a', 0o600)
    try {
      if (fs.writeSync(fd, bytes) !== bytes.length)
        throw Object.assign(new Error('the disk took only a part of the record'), { code: 'ENOSPC' })
      fs.fdatasyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    throw toStorageError(file, error)
  }
}

/** The text of a file of ours, or undefined when it is not there. Something else in its place is told, and never waited for. */
export function readIfPresent(file: string): string | undefined {
  return readBytesIfPresent(file)?.toString('utf8')
}

/** The same as bytes. */
export function readBytesIfPresent(file: string): Buffer | undefined {
  try {
    return readRegularFile(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESRCH')) return undefined
    throw toStorageError(file, error)
  }
}

/** The bytes of a plain file, or of the one a link leads to. Opening a pipe would wait for ever; so it is refused (exit 2). */
export function readRegularFile(file: string): Buffer {
  const fd = openToRead(file)
  try {
    const kind = describeKind(fs.fstatSync(fd))
    if (kind !== undefined) throw createNotFileError(file, kind)
    return fs.readFileSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Refuse (exit 2) what stands in the place of a plain file, without opening it. */
export function requireRegularFile(file: string): void {
  const kind = describeSpecialFile(file)
  if (kind !== undefined) throw createNotFileError(file, kind)
}

/** What stands there in place of a plain file, in words; undefined for a plain file, and where nothing stands. */
export function describeSpecialFile(file: string): string | undefined {
  try {
    const found = fs.statSync(file, { throwIfNoEntry: false })
    return found && describeKind(found)
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return undefined
    throw toStorageError(file, error)
  }
}

/** The value in a JSON file of ours; undefined when it is not there or does not read as JSON. The caller checks its shape. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readIfPresent(file) ?? 'null')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Read a file that an agent may have left: never through a link, never a FIFO or a device, never more than `cap` bytes,
 * beginning at `from` (from the end when it is negative).
 * Undefined when there is no such regular file.
 */
export function readUntrusted(file: string, maxBytes: number, startByte = 0): Buffer | undefined {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, ...NOT_REGULAR_CODES)) return undefined
    throw toStorageError(file, error)
  }
  try {
    const found = fs.fstatSync(fd)
    if (!found.isFile() || found.nlink > 1) return undefined
    const start = startByte < 0 ? Math.max(0, found.size + startByte) : Math.min(startByte, found.size)
    const buffer = Buffer.alloc(Math.min(found.size - start, maxBytes))
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, start))
  } finally {
    fs.closeSync(fd)
  }
}

/** What open(2) says of a path with no regular file at its end: nothing there, a link, a socket (Linux, macOS), a folder. */
const NOT_REGULAR_CODES = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENXIO', 'EOPNOTSUPP', 'EISDIR']

/** Add to a file in an agent's reach (or begin it anew): never through a link, never into a device. */
export function appendUntrusted(file: string, text: string, truncate = false): void {
  const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  let fd: number
  try {
    fd = fs.openSync(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (truncate ? O_TRUNC : O_APPEND), 0o600)
  } catch (error) {
    if (isErrno(error, ...NOT_REGULAR_CODES)) return
    throw toStorageError(file, error)
  }
  try {
    if (fs.fstatSync(fd).isFile()) fs.writeSync(fd, text)
  } finally {
    fs.closeSync(fd)
  }
}

/** Names in a folder, sorted; empty when the folder is not there. */
export function listNames(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw toStorageError(folder, error)
  }
}

/** Make a folder (and its parents) that only its owner may enter. */
export function makePrivateFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw toStorageError(folder, error)
  }
}

/** Turn a full disk, a missing right or a read-only place into words for a person (exit 10); leave the rest alone. */
export function toStorageError(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!Object.hasOwn(storageMessages, code)) return error
  const remedy =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free some space, then run the command again.'
      : `Check who owns it and whether user ${process.getuid?.() ?? '?'} may read and write there.`
  return new DispatchError(`${file}: ${storageMessages[code]} (${code})`, { exitCode: exitCodes.storage, remedy })
}

const storageMessages: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'access is denied',
  EPERM: 'it is not permitted',
  EROFS: 'the place is read-only',
  EIO: 'the disk reports an error',
  ENOTDIR: 'something in its path is not a folder',
  EEXIST: 'something else stands there already',
  ELOOP: 'a link in its path links to itself',
}

function openToRead(file: string): number {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENXIO', 'EOPNOTSUPP')) throw createNotFileError(file, 'a socket')
    throw error
  }
}

function describeKind(found: fs.Stats): string | undefined {
  if (found.isFile()) return undefined
  if (found.isDirectory()) return 'a folder'
  return found.isFIFO() ? 'a pipe (FIFO)' : found.isSocket() ? 'a socket' : 'a device'
}

function createNotFileError(file: string, kind: string): DispatchError {
  return new DispatchError(`${file} is ${kind}, and should be a file`, {
    exitCode: exitCodes.usage,
    remedy: 'Look at what it is, move it away, then run the command again.',
  })
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const wrote = fs.writeSync(fd, bytes, done)
    if (wrote === 0) throw new Error('the disk takes no more bytes')
    done += wrote
  }
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
