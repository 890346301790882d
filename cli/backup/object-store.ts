import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { listNames, makePrivateFolder, toStorageError } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { MINUTE_MS } from '#host/time.ts'
import type { Listing } from './format.ts'

/**
 * The contents of files, each once, in a file named by its SHA-256. A file gets its name when it is whole. `flush` brings all of
 * them to the disk at once, which is many times faster than one after the other.
 */
export class ObjectStore {
  /** The objects that a backup names which is complete, and those that were written since: they can be relied on. */
  readonly known = new Set<string>()
  writtenBytes = 0
  /** The listings that were read or written, by their hashes. */
  readonly listings = new Map<string, Listing>()
  private readonly folder: string
  private readonly written: string[] = []

  constructor(folder: string) {
    this.folder = folder
  }

  getFile(hash: string): string {
    return path.join(this.folder, hash.slice(0, 2), hash)
  }

  /** Every object that is there, by its name alone. */
  list(): Set<string> {
    return new Set(
      listNames(this.folder).flatMap(name => listNames(path.join(this.folder, name)).filter(each => HASH.test(each))),
    )
  }

  /** Add bytes. Returns their hash. */
  addBytes(bytes: Uint8Array): string {
    const hash = sha256(bytes)
    if (!this.known.has(hash)) this.place(hash, bytes.length, draft => fs.writeFileSync(draft, bytes, WRITE_OPTIONS))
    return hash
  }

  /**
   * Add what is in a file now. Returns its hash and its size. Undefined if it is gone or became something else. A link or a pipe is
   * never opened. Blocks of a large file are shared where the file system can.
   */
  addFile(file: string | Buffer): { sha256: string; size: number } | undefined {
    const fd = openPlain(file)
    if (fd === undefined) return undefined
    try {
      const stats = fs.fstatSync(fd)
      if (!stats.isFile()) return undefined
      if (stats.size > MAX_BYTES_AT_ONCE) return this.addLargeFile(fd)
      const bytes = fs.readFileSync(fd)
      return { sha256: this.addBytes(bytes), size: bytes.length }
    } finally {
      fs.closeSync(fd)
    }
  }

  /** Remove an object that no backup names, if it is older than that. */
  remove(hash: string, beforeMs: number): void {
    const file = this.getFile(hash)
    const stats = fs.lstatSync(file, { throwIfNoEntry: false })
    if (stats !== undefined && stats.mtimeMs < beforeMs) fs.rmSync(file, { force: true })
  }

  /** The time now, by the clock of the disk that the objects are on. */
  readClock(): number {
    const draft = this.createDraft()
    try {
      fs.writeFileSync(draft, '', WRITE_OPTIONS)
      return fs.statSync(draft).mtimeMs
    } catch (error) {
      throw toStorageError(draft, error)
    } finally {
      fs.rmSync(draft, { force: true })
    }
  }

  /** Bring everything that was written to the disk. */
  async flush(): Promise<void> {
    if (this.written.length === 0) return
    if (!(await syncFileSystem(this.folder))) for (const hash of this.written) flushFile(this.getFile(hash))
    this.written.length = 0
  }

  /** Remove what writes that were cut off have left. */
  removeDrafts(): void {
    for (const name of listNames(this.folder).filter(name => name.startsWith(DRAFT_PREFIX)))
      fs.rmSync(path.join(this.folder, name), { force: true })
  }

  /** The copy is hashed, not the file: that may change meanwhile. */
  private addLargeFile(fd: number): { sha256: string; size: number } {
    const draft = this.createDraft()
    try {
      if (!shareBlocks(fd, draft)) copyContent(fd, draft)
      const { hash, size } = hashFile(draft)
      if (this.known.has(hash)) fs.rmSync(draft)
      else this.place(hash, size, undefined, draft)
      return { sha256: hash, size }
    } catch (error) {
      fs.rmSync(draft, { force: true })
      throw toStorageError(this.folder, error)
    }
  }

  private place(hash: string, size: number, write?: (draft: string) => void, draft = this.createDraft()): void {
    const file = this.getFile(hash)
    try {
      write?.(draft)
      trySetMode(draft, OBJECT_MODE)
      makePrivateFolder(path.dirname(file))
      fs.renameSync(draft, file)
    } catch (error) {
      fs.rmSync(draft, { force: true })
      throw toStorageError(file, error)
    }
    this.known.add(hash)
    this.written.push(hash)
    this.writtenBytes += size
  }

  private createDraft(): string {
    return path.join(this.folder, `${DRAFT_PREFIX}${randomBytes(8).toString('hex')}`)
  }
}

/** Set the mode of a file or a folder, where the disk has modes: exFAT and some shares have none. */
export function trySetMode(file: string, mode: number): void {
  try {
    fs.chmodSync(file, mode)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL')) throw toStorageError(file, error)
  }
}

/** Bring everything that was written to the file system of a folder to the disk. False where that cannot be asked for. */
export async function syncFileSystem(folder: string): Promise<boolean> {
  const args = process.platform === 'linux' ? ['--file-system', folder] : []
  return (await runProgram('sync', args, { timeoutMs: 30 * MINUTE_MS })).exitCode === 0
}

/** The hash and the size of a file, read in pieces. */
export function hashFile(file: string): { hash: string; size: number } {
  const fd = fs.openSync(file, 'r')
  try {
    const hash = createHash('sha256')
    const buffer = Buffer.alloc(MAX_BYTES_AT_ONCE)
    let size = 0
    for (let count = 1; count > 0; size += count) {
      count = fs.readSync(fd, buffer, 0, buffer.length, null)
      hash.update(buffer.subarray(0, count))
    }
    return { hash: hash.digest('hex'), size }
  } finally {
    fs.closeSync(fd)
  }
}

// --- internal ---

const MAX_BYTES_AT_ONCE = 4 << 20
const OBJECT_MODE = 0o400
const DRAFT_PREFIX = '.tmp-'
const HASH = /^[0-9a-f]{64}$/
const WRITE_OPTIONS = { flag: 'wx', mode: 0o600 }

/** Open a file without following a link or waiting for a pipe; undefined if it is gone, or is no file any more. */
function openPlain(file: string | Buffer): number | undefined {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined
    throw error
  }
}

/** By the open file, so that another one cannot take its place meanwhile. False where the file system cannot. */
function shareBlocks(fd: number, target: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    fs.copyFileSync(`/proc/self/fd/${fd}`, target, fs.constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT', 'EIO')) throw error
    fs.rmSync(target, { force: true })
    return false
  }
}

function copyContent(fd: number, target: string): void {
  const buffer = Buffer.alloc(MAX_BYTES_AT_ONCE)
  const out = fs.openSync(target, 'w', 0o600)
  try {
    for (let at = 0, count = 1; count > 0; at += count) {
      count = fs.readSync(fd, buffer, 0, buffer.length, at)
      for (let done = 0; done < count; ) done += fs.writeSync(out, buffer, done, count - done)
    }
  } finally {
    fs.closeSync(out)
  }
}

function flushFile(file: string): void {
  const fd = fs.openSync(file, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
