import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { listNames } from '#host/fs'
import { isGitAtWork, listTrackedBelow } from '#host/git/inbox'
import { readAtMost } from '#host/read-at-most.ts'
import { describeForeignAccess, getClosedBits, getInbox, INBOX_FOLDER, QUEUE_FOLDER, TAKEN_FOLDER } from './folders.ts'

/** A task may have so many bytes, as one at the command line. */
export const MAX_TASK_FILE_BYTES = 1024 * 1024

/** What a file in an inbox is: a task that may be taken, one that is still being made, or something else, with the reason. */
export type Inspection =
  | { kind: 'task'; stamp: string }
  /** It is gone, or has no content yet. */
  | { kind: 'nothing yet'; stamp: string }
  | { kind: 'refused'; stamp: string; reason: string }

/** The names of the files in an inbox that are meant as tasks: `*.md`, sorted. */
export function listTaskNames(repository: string): string[] {
  return listNames(getInbox(repository)).filter(name => name.endsWith('.md') && !name.startsWith('.'))
}

/** Look at a file in an inbox without opening it. What git tracks is another question: `findTracked`. */
export function inspectTaskFile(repository: string, name: string): Inspection {
  const file = path.join(getInbox(repository), name)
  const stamp = readTaskStamp(file)
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  if (stats === undefined && name.includes('\ufffd'))
    return { kind: 'refused', stamp, reason: 'its name is not UTF-8, or has the character U+FFFD' }
  if (stats === undefined) return { kind: 'nothing yet', stamp }
  const reason = describeWrongKind(stats, getClosedBits(repository, file))
  if (reason !== undefined) return { kind: 'refused', stamp, reason }
  return { kind: stats.size === 0 ? 'nothing yet' : 'task', stamp }
}

/** Changes whenever the file itself, not what it links to, is written or replaced. A rename does not change it. */
export function readTaskStamp(file: string): string {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
}

/**
 * Which of these names in an inbox came with the repository: git tracks them, or the folder they are in as a submodule.
 * Undefined while a git command is at work there: it writes files before its index names them.
 */
export async function findTracked(repository: string, names: string[]): Promise<string[] | undefined> {
  const tracked = await listTracked(repository)
  if (tracked?.some(place => [QUEUE_FOLDER, INBOX_FOLDER].includes(place))) return names
  return tracked && names.filter(name => tracked.includes(fold(`${INBOX_FOLDER}/${name}`)))
}

/** The same for folders in `taken/`: which ones git tracks, or something in them. */
export async function findTrackedClaims(repository: string, names: string[]): Promise<string[] | undefined> {
  const tracked = await listTracked(repository)
  if (tracked?.some(place => [QUEUE_FOLDER, TAKEN_FOLDER].includes(place))) return names
  return (
    tracked && names.filter(name => tracked.some(place => `${place}/`.startsWith(fold(`${TAKEN_FOLDER}/${name}/`))))
  )
}

/** The bytes of a task file, at most one more than the limit; or why it cannot be one. No link is followed. */
export function readTaskFile(file: string, closedBits: number): Buffer | { reason: string } {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  let fd: number
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ELOOP', 'EMLINK')) return { reason: 'it is a link' }
    if (isErrno(error, 'EACCES')) return { reason: 'you may not read it' }
    throw error
  }
  try {
    const reason = describeWrongKind(fs.fstatSync(fd), closedBits)
    if (reason !== undefined) return { reason }
    return readAtMost(fd, MAX_TASK_FILE_BYTES + 1)
  } finally {
    fs.closeSync(fd)
  }
}

// --- internal ---

/** Letters of another case count as the same: some file systems do not tell them apart. Pure. */
function fold(place: string): string {
  return place.normalize('NFC').toLowerCase()
}

/** What git tracks in the folder of the queue, folded; undefined while a git command is at work. */
async function listTracked(repository: string): Promise<string[] | undefined> {
  return (await isGitAtWork(repository)) ? undefined : (await listTrackedBelow(repository, QUEUE_FOLDER)).map(fold)
}

/** Only a regular file with one name, which this user alone can write. */
function describeWrongKind(stats: fs.Stats, closedBits: number): string | undefined {
  if (stats.isSymbolicLink()) return 'it is a link'
  if (stats.isDirectory()) return 'it is a folder'
  if (!stats.isFile()) return 'it is not a regular file'
  if (stats.nlink > 1) return `it has ${stats.nlink} names (hard links), so it may be changed elsewhere`
  const access = describeForeignAccess(stats, closedBits)
  return access && `it ${access}`
}
