import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { getClosedBits, getInbox, getTakenFolder } from './folders.ts'
import { readTaskStamp } from './inspect.ts'

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
  const nonce = randomBytes(8).toString('hex')
  const folder = path.join(getTakenFolder(repository), `${getOwner(home)}-${nonce}`)
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

/** What this home has claimed and is not known to be in the queue: its process ended in between. */
export function listClaims(home: string, repository: string): ClaimedFile[] {
  const taken = getTakenFolder(repository)
  const pattern = new RegExp(`^${getOwner(home)}-[0-9a-f]{16}$`) // Every file that was ever taken has its folder here.
  const pending = listNames(taken).filter(name => pattern.test(name))
  return pending.flatMap(each => {
    const folder = path.join(taken, each)
    const [name] = listNames(folder)
    if (name === undefined) removeEmpty(folder)
    return name === undefined ? [] : [describeClaim(repository, folder, name, getClosedBits(repository, folder))]
  })
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
/** What a name may have so that `.rejected-99.txt` fits behind it. */
const MAX_NAME_BYTES = 230

function describeClaim(repository: string, folder: string, name: string, closedBits: number): ClaimedFile {
  const key = `${KEY_PREFIX}${path.basename(folder).split('-')[1]}`
  const file = path.join(folder, name)
  return { repository, folder, file, name, key, closedBits, stamp: readTaskStamp(file) }
}

/** Two homes may have the same project; each goes on with its own claims only. */
function getOwner(home: string): string {
  return sha256(home).slice(0, 8)
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
