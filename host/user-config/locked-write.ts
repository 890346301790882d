import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { makePrivateFolder, readRegularFile, readStamp, writeAtomic } from '../fs/files.ts'
import { toStorageError } from '../fs/storage-error.ts'

/** The bytes of a file; undefined when it does not exist. */
export type FileContent = Buffer | undefined

/** A file before and after a change; the very same buffer when nothing had to be changed. */
export interface FileChange {
  before: FileContent
  after: FileContent
}

/**
 * Change a file of the user that other programs may write at the same moment. A link is followed to its target; mode
 * and owner stay; a reader sees the old bytes or the new. dispatch holds the lock that claude uses. Not every writer
 * does, so it compares right before the rename, and checks again a moment later. A change that was overwritten is
 * repeated. Exit 5 after five attempts. `change` must return its own result unchanged, because that is how it is
 * checked.
 */
export async function changeUserFile(
  file: string,
  change: (content: FileContent) => FileContent,
  { settleMs = SETTLE_MS }: { settleMs?: number } = {},
): Promise<FileChange> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const content = readUserFile(file)
    if (isSameContent(change(content), content)) return { before: content, after: content }
    const written = await withLock(file, () => replaceFile(file, change))
    if (written === undefined) continue
    await sleep(settleMs)
    const settled = readUserFile(file)
    if (isSameContent(change(settled), settled)) return written
  }
  throw new DispatchError(`${file} kept changing while it was written (${MAX_ATTEMPTS} attempts)`, {
    exitCode: exitCodes.conflict,
    remedy: 'Close what else writes it (claude, an editor) for a moment, then run the command again.',
  })
}

/** The bytes of a file, or of the file that it links to. */
export function readUserFile(file: string): FileContent {
  const target = resolveTarget(file)
  try {
    return readRegularFile(target)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw toStorageError(target, error)
  }
}

// --- internal ---

/** claude considers a lock of this age abandoned, as measured (docs/decisions/0014). */
const STALE_LOCK_MS = 10_000
/** claude itself gives up after about 18 s. */
const LOCK_TIMEOUT_MS = 15_000
/** claude renames 6 to 9 ms after it has read a file. A writer that read before this write has written by then. */
const SETTLE_MS = 250
const MAX_ATTEMPTS = 5
const MAX_LINKS = 40

/** Write the change; undefined when the file changed after it was read. */
function replaceFile(file: string, change: (content: FileContent) => FileContent): FileChange | undefined {
  const target = resolveTarget(file)
  const before = readUserFile(target)
  const after = change(before)
  if (isSameContent(before, after)) return { before, after }
  if (after === undefined) {
    if (!isSameContent(readUserFile(target), before)) return undefined
    fs.rmSync(target, { force: true })
    return { before, after }
  }
  const draft = `${target}.tmp-${randomBytes(8).toString('hex')}`
  const stats = before && fs.statSync(target)
  try {
    makePrivateFolder(path.dirname(target))
    writeAtomic(draft, after, stats ? stats.mode & 0o7777 : 0o600)
    if (stats) keepOwner(draft, stats)
    if (before === undefined) {
      fs.linkSync(draft, target) // Fails when another program has created the file; a rename would replace it.
      return { before, after }
    }
    const stamp = readStamp(target)
    if (!isSameContent(readUserFile(target), before)) return undefined
    // A writer that takes no lock can still write between these two calls: 0.4 ms at most, as measured.
    if (readStamp(target) !== stamp) return undefined
    fs.renameSync(draft, target)
    return { before, after }
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOENT')) return undefined // Another program created or removed it.
    throw toStorageError(target, error)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** Only root may set the owner. A user may set a group that they belong to. */
function keepOwner(draft: string, { uid, gid }: fs.Stats): void {
  const current = fs.statSync(draft)
  for (const [owner, group] of [[uid, gid] as const, [current.uid, gid] as const]) {
    if (current.uid === owner && current.gid === group) return
    try {
      return fs.chownSync(draft, owner, group)
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error
    }
  }
}

/**
 * Run `action` with `<file>.lock`, the lock folder of claude. It is beside the name that claude uses, not beside the
 * target of a link. `action` takes milliseconds, so the lock never has to be refreshed.
 */
async function withLock<Result>(file: string, action: () => Result): Promise<Result> {
  const lock = `${file}.lock`
  makePrivateFolder(path.dirname(file))
  for (const deadline = Date.now() + LOCK_TIMEOUT_MS; !tryLock(lock); ) {
    if (clearStaleLock(lock)) continue
    if (Date.now() > deadline)
      throw new DispatchError(`another program is writing ${file}: ${lock} exists`, {
        exitCode: exitCodes.conflict,
        remedy: 'Close the other claude sessions for a moment, then run the command again.',
      })
    await sleep(5 + Math.random() * 20)
  }
  try {
    return action()
  } finally {
    releaseLock(lock)
  }
}

function tryLock(lock: string): boolean {
  try {
    fs.mkdirSync(lock)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw toStorageError(lock, error)
  }
}

function releaseLock(lock: string): void {
  try {
    fs.rmdirSync(lock)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toStorageError(lock, error) // Another program removed it as stale.
  }
}

/** Remove a lock whose owner is gone, and return whether that happened. An owner that lives refreshes its time. */
function clearStaleLock(lock: string): boolean {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs <= STALE_LOCK_MS) return false
    fs.rmdirSync(lock)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'ENOTEMPTY', 'ENOTDIR')) return false // Not a lock of claude; the wait ends with an error.
    throw toStorageError(lock, error)
  }
}

/** The file at the end of a chain of links, even when it does not exist yet. Exit 2 for a loop. */
function resolveTarget(file: string): string {
  let target = file
  for (let links = 0; links < MAX_LINKS; links++) {
    try {
      target = path.resolve(path.dirname(target), fs.readlinkSync(target))
    } catch (error) {
      if (isErrno(error, 'EINVAL', 'ENOENT')) return target // Not a link, or nothing.
      if (isErrno(error, 'ELOOP')) break // A folder above it links to itself.
      throw toStorageError(target, error)
    }
  }
  throw new DispatchError(`${file} links to itself`, { exitCode: exitCodes.usage, remedy: 'Fix the link.' })
}

function isSameContent(a: FileContent, b: FileContent): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b)
}
