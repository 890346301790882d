import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder } from '#host/fs'
import { createClaimName, getNonce, selectClaimNames } from './claim-names.ts'
import { describeForeignAccess, getClosedBits, getInbox, getTakenFolder } from './folders.ts'
import { findTrackedClaims, readTaskStamp } from './inspect.ts'

/** A file that was taken out of an inbox, and is not yet known to be in the queue. It lies alone in a folder. */
export interface ClaimedFile {
  repository: string
  folder: string
  file: string
  /** The name that it had in the inbox. */
  name: string
  /** The same for this file however often it is looked at, and for no other: the key of its item in the queue. */
  key: string
  /** Changes if it is written: inode, size and time, as `inspectTaskFile` has it. */
  stamp: string
  /** Which writers its folders keep out; see `getClosedBits`. */
  closedBits: number
}

/** Take a file out of the inbox, by one rename; undefined if it is gone. Of two that try one gets it. */
export function claimFile(home: string, repository: string, name: string): ClaimedFile | undefined {
  const folder = path.join(getTakenFolder(repository), createClaimName(home))
  const closedBits = getClosedBits(repository, path.join(getInbox(repository), name))
  makePrivateFolder(folder)
  try {
    fs.renameSync(path.join(getInbox(repository), name), path.join(folder, name))
    return describeClaim(repository, folder, name, closedBits)
  } catch (error) {
    removeEmpty(folder)
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** A folder that may be a claim, and may as well have come with the repository. It is left alone. */
export interface DoubtfulClaim {
  folder: string
  key: string
  reason: string
}

/**
 * What this home has claimed and is not known to be in the queue: its process ended in between. Undefined while a git command is at
 * work in the repository, if there may be any.
 */
export async function listClaims(
  home: string,
  repository: string,
): Promise<{ claims: ClaimedFile[]; doubtful: DoubtfulClaim[] } | undefined> {
  const { own, older } = listPendingNames(home, repository)
  const tracked = own.length === 0 ? [] : await findTrackedClaims(repository, own)
  if (tracked === undefined) return undefined
  const doubtful = older.map(name => describeDoubtful(repository, name, FROM_OLDER))
  const claims: ClaimedFile[] = []
  for (const each of own) {
    const folder = path.join(getTakenFolder(repository), each)
    const reason = tracked.includes(each) ? 'git tracks it' : describeWrongFolder(repository, folder)
    if (reason !== undefined) {
      doubtful.push(describeDoubtful(repository, each, `${reason}, so others may have put it there`))
      continue
    }
    const [name] = listNames(folder)
    if (name === undefined) removeEmpty(folder)
    else claims.push(describeClaim(repository, folder, name, getClosedBits(repository, folder)))
  }
  return { claims, doubtful }
}

/** The folders of what this home has claimed, or may have, and is not known to be in the queue. */
export function listPendingFolders(home: string, repository: string): string[] {
  const { own, older } = listPendingNames(home, repository)
  return [...own, ...older].map(name => path.join(getTakenFolder(repository), name))
}

/** The item is in the queue: keep the file under its id, such as `taken/q-17-1f09…/fix-the-login.md`. */
export function keepClaim({ repository, folder, key }: ClaimedFile, item: string): void {
  renameIfThere(folder, path.join(getTakenFolder(repository), `${item}-${key.slice(KEY_PREFIX.length)}`))
}

/** Put the file back into the inbox. Returns its name there, which is another one if its own is taken by now. */
export function giveBack({ repository, folder, file, name }: ClaimedFile): string {
  const freeName = moveToFreeName(file, getInbox(repository), name, '.md')
  removeEmpty(folder)
  return freeName
}

/** Put the file beside the inbox's tasks as `<name>.rejected`, with the reason in `<name>.rejected.txt`. Returns the first path. */
export function rejectClaim({ repository, folder, file, name }: ClaimedFile, reason: string): string {
  const inbox = getInbox(repository)
  const freeName = moveToFreeName(file, inbox, `${shortenName(name)}.rejected`, '.rejected', target =>
    writeNew(`${target}.txt`, `${reason}\n`),
  )
  removeEmpty(folder)
  return path.join(inbox, freeName)
}

// --- internal ---

const KEY_PREFIX = 'inbox-'
const FROM_OLDER =
  'an older dispatch may have taken it and not queued it, or it came with the repository. If the task in it is yours, move it into the inbox'
/** What a name may have so that `.rejected-99.txt` fits behind it. */
const MAX_NAME_BYTES = 230

function describeClaim(repository: string, folder: string, name: string, closedBits: number): ClaimedFile {
  const file = path.join(folder, name)
  return { repository, folder, file, name, key: getKey(folder), closedBits, stamp: readTaskStamp(file) }
}

function describeDoubtful(repository: string, name: string, reason: string): DoubtfulClaim {
  const folder = path.join(getTakenFolder(repository), name)
  return { folder, key: getKey(folder), reason }
}

function getKey(folder: string): string {
  return `${KEY_PREFIX}${getNonce(path.basename(folder))}`
}

function listPendingNames(home: string, repository: string): { own: string[]; older: string[] } {
  return selectClaimNames(home, listNames(getTakenFolder(repository)))
}

/** Why others may have put something into a folder, or the folder there; undefined if only this home has, and for one that is gone. */
function describeWrongFolder(repository: string, folder: string): string | undefined {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  if (stats.isSymbolicLink()) return 'it is a link'
  if (!stats.isDirectory()) return 'it is not a folder'
  const access = describeForeignAccess(stats, getClosedBits(repository, folder))
  return access && `it ${access}`
}

/**
 * Move a file to this name in a folder, or else to one with a number before its ending. What is there is never replaced, also where
 * it appears just now. `prepare` makes what belongs beside it, and returns false where that is there. Returns the name.
 */
function moveToFreeName(
  file: string,
  folder: string,
  name: string,
  ending: string,
  prepare: (target: string) => boolean = () => true,
): string {
  const start = name.slice(0, -ending.length)
  for (let count = 1; ; count++) {
    const freeName = count === 1 ? name : `${start}-${count}${ending}`
    const target = path.join(folder, freeName)
    if (fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined || !prepare(target)) continue
    if (moveToNew(file, target)) return freeName
  }
}

/** False where there is something. What is gone was moved by another process, which goes on with the same claim. */
function moveToNew(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    fs.unlinkSync(from)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    if (isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'))
      renameIfThere(from, to) // A disk without hard links.
    else if (!isErrno(error, 'ENOENT')) throw error
  }
  return true
}

function writeNew(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

function shortenName(name: string): string {
  return Buffer.byteLength(name) <= MAX_NAME_BYTES ? name : `${[...name].slice(0, 50).join('')}.md`
}

/** Another process, which goes on with the same claim, may have been faster. */
function renameIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function removeEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}
