import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exits, isErrno } from './error.ts'

const wholeRecord = 64 * 1024

/**
 * Replace a file so that a reader, a crash or a full disk sees the old content or the new, never a part:
 * random sibling, every byte, fsync, rename, fsync of the folder. (`write-file-atomic` renames a truncated file over
 * the good one when the disk is full: reliability.md M4.)
 */
export function writeAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const sibling = path.join(path.dirname(file), `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    const fd = fs.openSync(sibling, 'wx', mode)
    try {
      writeAll(fd, bytes)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(sibling, file)
    syncFolder(path.dirname(file))
  } catch (error) {
    fs.rmSync(sibling, { force: true })
    throw storageError(file, error)
  }
}

/**
 * Append one record as a line. The newline before it keeps a record torn by somebody's crash from swallowing ours
 * (M6); one write call keeps two writers apart.
 */
export function appendLine(file: string, record: string): void {
  const bytes = Buffer.from(`\n${record}\n`)
  if (bytes.length > wholeRecord) throw new Error(`a record of ${bytes.length} bytes is too long for ${file}`)
  try {
    const fd = fs.openSync(file, 'a', 0o600)
    try {
      if (fs.writeSync(fd, bytes) !== bytes.length) throw new Error('the disk took only a part of the record')
      fs.fdatasyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    throw storageError(file, error)
  }
}

/** The text of a file of ours, or undefined when it is not there. */
export function readIfPresent(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESRCH')) return undefined
    throw storageError(file, error)
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
 * Read a file that an agent may have left: never through a link, never a FIFO or a device, never more than `cap` bytes.
 * Undefined when there is no such regular file.
 */
export function readUntrusted(file: string, cap: number): Buffer | undefined {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO', 'EISDIR')) return undefined
    throw storageError(file, error)
  }
  try {
    const found = fs.fstatSync(fd)
    if (!found.isFile() || found.nlink > 1) return undefined
    const buffer = Buffer.alloc(Math.min(found.size, cap))
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, 0))
  } finally {
    fs.closeSync(fd)
  }
}

/** Names in a folder, sorted; empty when the folder is not there. */
export function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw storageError(folder, error)
  }
}

/** Make a folder (and its parents) that only its owner may enter. */
export function makePrivate(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw storageError(folder, error)
  }
}

/** Turn a full disk, a missing right or a read-only place into words for a person (exit 10); leave the rest alone. */
export function storageError(file: string, error: unknown): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST')) return error
  const why = (error as NodeJS.ErrnoException).code
  const remedy =
    why === 'ENOSPC' || why === 'EDQUOT'
      ? 'Free some space, then run the command again.'
      : `Check who owns it and whether user ${process.getuid?.() ?? '?'} may read and write there.`
  return new DispatchError(`${file}: ${why}`, { exit: exits.storage, remedy })
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
