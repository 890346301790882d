import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { toStorageError } from './storage-error.ts'

/**
 * Replace a file so that a reader, a crash or a full disk leaves the old content or the new, never a part of it: write
 * a sibling, fsync, rename, fsync the folder. The npm package `write-file-atomic` is not used, because on a full disk
 * it renames a truncated file over the good one. What is written again before it is read after a crash of the machine need not be
 * durable: that does not wait for the disk.
 */
export function writeAtomic(file: string, content: string | Uint8Array, mode = 0o600, { isDurable = true } = {}): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const sibling = path.join(path.dirname(file), `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    withFile(fs.openSync(sibling, 'wx', mode), fd => {
      fs.fchmodSync(fd, mode) // Whatever the umask.
      writeAll(fd, bytes)
      if (isDurable) fs.fsyncSync(fd)
    })
    fs.renameSync(sibling, file)
    if (isDurable) withFile(fs.openSync(path.dirname(file), 'r'), fs.fsyncSync)
  } catch (error) {
    fs.rmSync(sibling, { force: true })
    throw toStorageError(file, error)
  }
}

/**
 * Append one record of up to 64 KiB as a line. The newline before it separates it from a record that a crash has torn.
 * A single write call keeps the records of two writers apart.
 */
export function appendLine(file: string, record: string): void {
  const bytes = Buffer.from(`\n${record}\n`)
  if (bytes.length > MAX_RECORD_BYTES) throw new Error(`a record of ${bytes.length} bytes is too long for ${file}`)
  try {
    withFile(fs.openSync(file, 'a', 0o600), fd => {
      if (fs.writeSync(fd, bytes) !== bytes.length)
        throw Object.assign(new Error('only a part of the record was written'), { code: 'ENOSPC' })
      fs.fdatasyncSync(fd)
    })
  } catch (error) {
    throw toStorageError(file, error)
  }
}

/** The text of a file of dispatch; undefined when it does not exist. Exit 2 for a pipe, a folder or a device. */
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

/** The bytes of a regular file, or of the one that a link points to. Exit 2 for a pipe, which would block for ever. */
export function readRegularFile(file: string): Buffer {
  return withFile(openToRead(file), fd => {
    const kind = describeKind(fs.fstatSync(fd))
    if (kind !== undefined) throw createNotFileError(file, kind)
    return fs.readFileSync(fd)
  })
}

/** Exit 2 when a pipe, a folder or a device is in the place of a regular file. Nothing is opened. */
export function requireRegularFile(file: string): void {
  const kind = describeSpecialFile(file)
  if (kind !== undefined) throw createNotFileError(file, kind)
}

/** What is at this path when it is not a regular file, in words; undefined for a regular file or nothing. */
export function describeSpecialFile(file: string): string | undefined {
  try {
    const stats = fs.statSync(file, { throwIfNoEntry: false })
    return stats && describeKind(stats)
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return undefined
    throw toStorageError(file, error)
  }
}

/** The value in a JSON file of dispatch: null without the file, undefined when it is not JSON. Check its shape. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readIfPresent(file) ?? 'null')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Read up to `maxBytes` of a file that an agent may have written, starting at `startByte` (counted from the end when
 * negative). Undefined for anything but a regular file with one name: a link, a hard link, a FIFO, a device, nothing.
 */
export function readUntrusted(file: string, maxBytes: number, startByte = 0): Buffer | undefined {
  return withUntrusted(file, fs.constants.O_RDONLY, fd => {
    const stats = fs.fstatSync(fd)
    if (!stats.isFile() || stats.nlink > 1) return undefined
    const start = startByte < 0 ? Math.max(0, stats.size + startByte) : Math.min(startByte, stats.size)
    const buffer = Buffer.alloc(Math.min(stats.size - start, maxBytes))
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, start))
  })
}

/** Append to a file that an agent can reach, or replace its content. Links and devices are silently left alone. */
export function appendUntrusted(file: string, text: string, truncate = false): void {
  const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC } = fs.constants
  withUntrusted(file, O_WRONLY | O_CREAT | (truncate ? O_TRUNC : O_APPEND), fd => {
    if (fs.fstatSync(fd).isFile()) fs.writeSync(fd, text)
  })
}

/** Changes whenever the file is written or replaced; empty when it does not exist, or may not be read. */
export function readStamp(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = fs.statSync(file, { bigint: true })
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch {
    return ''
  }
}

/** The path without links, as far as it exists, as claude and git report paths. Guards compare with it. */
export function resolveRealPath(file: string): string {
  try {
    return fs.realpathSync(file)
  } catch {
    const parent = path.dirname(file)
    return file === parent ? file : path.join(resolveRealPath(parent), path.basename(file))
  }
}

/** Is there a Unix socket at this path? False also where that cannot be seen. */
export function isSocket(file: string): boolean {
  try {
    return fs.lstatSync(file).isSocket()
  } catch {
    return false
  }
}

/** The names in a folder, sorted; empty when the folder does not exist. */
export function listNames(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw toStorageError(folder, error)
  }
}

/** Create a folder and its parents with mode 700. */
export function makePrivateFolder(folder: string): void {
  try {
    createFolders(path.resolve(folder))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toStorageError(folder, error)
    throw new DispatchError(`${folder}: this file system allows no new folders`, {
      exitCode: exitCodes.storage,
      remedy: 'Use a folder on a disk.',
    })
  }
}

/** The same, with the errors of the system. Node's own recursive mkdir never returns where mkdir says ENOENT, as in /proc. */
export function createFolders(folder: string): void {
  const isFolder = () => fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  if (isFolder()) return
  createFolders(path.dirname(folder))
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST') || !isFolder()) throw error // Another process may have made it at the same moment.
  }
}

// --- internal ---

const MAX_RECORD_BYTES = 64 * 1024

/** The errors of open(2) for what is no regular file: it does not exist, or is a link, a socket or a folder. */
const NOT_REGULAR_CODES = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENXIO', 'EOPNOTSUPP', 'EISDIR']

/** Use an open file, then close it. */
function withFile<Result>(fd: number, use: (fd: number) => Result): Result {
  try {
    return use(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Open a file without following a link or waiting for a pipe, and use it; undefined where that is not possible. */
function withUntrusted<Result>(file: string, flags: number, use: (fd: number) => Result): Result | undefined {
  let fd: number
  try {
    fd = fs.openSync(file, flags | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK, 0o600)
  } catch (error) {
    if (isErrno(error, ...NOT_REGULAR_CODES)) return undefined
    throw toStorageError(file, error)
  }
  return withFile(fd, use)
}

function openToRead(file: string): number {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENXIO', 'EOPNOTSUPP')) throw createNotFileError(file, 'a socket')
    throw error
  }
}

/** Undefined for a regular file. */
function describeKind(stats: fs.Stats): string | undefined {
  if (stats.isFile()) return undefined
  if (stats.isDirectory()) return 'a folder'
  return stats.isFIFO() ? 'a pipe (FIFO)' : stats.isSocket() ? 'a socket' : 'a device'
}

function createNotFileError(file: string, kind: string): DispatchError {
  return new DispatchError(`${file} is ${kind}, and should be a file`, {
    exitCode: exitCodes.usage,
    remedy: 'Look at it, move it away, then run the command again.',
  })
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    const count = fs.writeSync(fd, bytes, offset)
    if (count === 0) throw new Error('the disk accepts no more bytes')
    offset += count
  }
}
