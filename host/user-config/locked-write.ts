import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { makePrivateFolder, readRegularFile, toStorageError, writeAtomic } from '../fs/files.ts'
/** What a file holds; undefined when it is not there. */
export type FileContent = Buffer | undefined

/** A file as it was, and as it is now; the very same when nothing had to be done. */
export interface FileChange {
  before: FileContent
  after: FileContent
}

/** Claude's own, as measured (docs/decisions/0014): a lock this old belongs to nobody any more. */
const STALE_LOCK_MS = 10_000
/** Claude itself gives up a change after about 18 s. */
const LOCK_TIMEOUT_MS = 15_000
/** From claude's reading of a file to its rename there were 6 to 9 ms; whoever read before we wrote has written by then. */
const SETTLE_MS = 250
const MAX_ATTEMPTS = 5

/**
 * Change a file that is the user's, and that others may write at the same moment. A link is followed to its target; mode
 * and owner stay; a reader sees the old bytes or the new. We hold the lock that claude holds, compare right before the
 * rename because not every writer does, and look again afterwards; what was written over is done anew, five times at most.
 * `change` must find nothing to do in its own result: by that we know that it still stands.
 */
export async function changeUserFile(
  file: string,
  change: (content: FileContent) => FileContent,
  { settleMs = SETTLE_MS }: { settleMs?: number } = {},
): Promise<FileChange> {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
    const found = readUserFile(file)
    if (isSameContent(change(found), found)) return { before: found, after: found }
    const changed = await withLock(file, () => replaceFile(file, change))
    if (changed === undefined) continue
    await sleep(settleMs)
    const now = readUserFile(file)
    if (isSameContent(change(now), now)) return changed
  }
  throw new DispatchError(`${file} kept changing while it was written (${MAX_ATTEMPTS} tries)`, {
    exitCode: exitCodes.conflict,
    remedy: 'End what else writes it (claude, an editor) for a moment, then run the command again.',
  })
}

/** The bytes of the file, or of what it links to. */
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

/** Write the change, or answer undefined when the file is no longer what the change was made from. */
function replaceFile(file: string, change: (content: FileContent) => FileContent): FileChange | undefined {
  const target = resolveTarget(file)
  const before = readUserFile(target)
  const after = change(before)
  if (isSameContent(before, after)) return { before, after }
  if (after === undefined) return isSameContent(readUserFile(target), before) ? removeFile(target, before) : undefined
  const draft = `${target}.tmp-${randomBytes(8).toString('hex')}`
  const like = before && fs.statSync(target)
  try {
    makePrivateFolder(path.dirname(target))
    writeAtomic(draft, after, like ? like.mode & 0o7777 : 0o600)
    if (like) keepOwner(draft, like)
    if (before === undefined) {
      fs.linkSync(draft, target) // Fails when somebody else has begun the file; a rename would replace it.
      return { before, after }
    }
    const look = readStamp(target)
    if (!isSameContent(readUserFile(target), before)) return undefined
    // Between these two calls nobody is kept out who takes no lock: 0.4 ms at the worst that was measured.
    if (readStamp(target) !== look) return undefined
    fs.renameSync(draft, target)
    return { before, after }
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOENT')) return undefined // Begun, or taken away, by somebody else.
    throw toStorageError(target, error)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** Which file stands there, and when it was last written. */
function readStamp(target: string): string {
  const { ino, size, mtimeNs, ctimeNs } = fs.statSync(target, { bigint: true })
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

function removeFile(target: string, before: FileContent): FileChange {
  fs.rmSync(target, { force: true })
  return { before, after: undefined }
}

/** Only root may give a file away; a group one is in may be kept by anybody. */
function keepOwner(draft: string, { uid, gid }: fs.Stats): void {
  const own = fs.statSync(draft)
  for (const [user, group] of [[uid, gid] as const, [own.uid, gid] as const]) {
    if (own.uid === user && own.gid === group) return
    try {
      return fs.chownSync(draft, user, group)
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error
    }
  }
}

/**
 * Act while we hold `<file>.lock`, a folder: so does claude, beside the name it knows and not beside a link's target.
 * `act` is over in milliseconds, so the lock never needs to be kept fresh.
 */
async function withLock<Done>(file: string, act: () => Done): Promise<Done> {
  const lock = `${file}.lock`
  makePrivateFolder(path.dirname(file))
  for (const end = Date.now() + LOCK_TIMEOUT_MS; !tryLock(lock); ) {
    if (clearStaleLock(lock)) continue
    if (Date.now() > end)
      throw new DispatchError(`${file} is being written by somebody else: ${lock} stands there`, {
        exitCode: exitCodes.conflict,
        remedy: 'End the other claude sessions for a moment, then run the command again.',
      })
    await sleep(5 + Math.random() * 20)
  }
  try {
    return act()
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
    if (!isErrno(error, 'ENOENT')) throw toStorageError(lock, error) // We stood still for so long that it was taken for stale.
  }
}

/** Remove a lock whose holder is gone; answers whether it did. A holder that lives sets its time anew. */
function clearStaleLock(lock: string): boolean {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs <= STALE_LOCK_MS) return false
    fs.rmdirSync(lock)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'ENOTEMPTY', 'ENOTDIR')) return false // No lock of claude's kind; the wait ends in words.
    throw toStorageError(lock, error)
  }
}

/** Where the bytes lie, or would lie: a link is followed even when nothing stands at its end yet. */
function resolveTarget(file: string): string {
  let place = file
  for (let steps = 0; steps < 40; steps++) {
    try {
      place = path.resolve(path.dirname(place), fs.readlinkSync(place))
    } catch (error) {
      if (isErrno(error, 'EINVAL', 'ENOENT')) return place // No link, or nothing there.
      if (isErrno(error, 'ELOOP')) break // A folder above it links to itself.
      throw toStorageError(place, error)
    }
  }
  throw new DispatchError(`${file} links to itself`, { exitCode: exitCodes.usage, remedy: 'Mend the link.' })
}

const isSameContent = (one: FileContent, other: FileContent) =>
  one === undefined || other === undefined ? one === other : one.equals(other)
