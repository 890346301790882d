import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder } from '#host/fs'

/** The folder of a repository through which tasks come in, and what was taken out of it. */
export const QUEUE_FOLDER = '.agent-queue'

/** The path of the inbox in a repository. */
export const INBOX_FOLDER = `${QUEUE_FOLDER}/inbox`

/** The path of the folder of what was taken. */
export const TAKEN_FOLDER = `${QUEUE_FOLDER}/taken`

export function getInbox(repository: string): string {
  return path.join(repository, INBOX_FOLDER)
}

/** Where files go that were taken. */
export function getTakenFolder(repository: string): string {
  return path.join(repository, TAKEN_FOLDER)
}

/** Make the inbox of a repository, for its user alone. Exit 5 if something is in its place that cannot be trusted. */
export function createInbox(repository: string): void {
  refuseProblem(repository)
  makePrivateFolder(getInbox(repository))
  makePrivateFolder(getTakenFolder(repository))
  refuseProblem(repository)
}

/**
 * Why tasks in the inbox of this repository are not taken: a sentence without its full stop. Undefined if they are, and where
 * there is no inbox. The folders must be real ones, belong to this user, and be closed to the writing of others.
 */
export function findFolderProblem(repository: string): string | undefined {
  if (!fs.existsSync(repository)) return `${repository} does not exist any more`
  for (const folder of listFolders(repository)) {
    const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
    if (stats === undefined) continue
    if (stats.isSymbolicLink()) return `${folder} is a link, and must be a folder itself`
    if (!stats.isDirectory()) return `${folder} is not a folder`
    const problem = describeForeignAccess(stats, getClosedBits(repository, folder))
    if (problem !== undefined) return `${folder} ${problem}`
    if (fs.lstatSync(path.join(folder, '.git'), { throwIfNoEntry: false }))
      return `${folder} is a repository of its own, so others may have written what is in it`
  }
  return undefined
}

/**
 * Who besides this user could have written something, in words; undefined if no other user could. `closedBits` are those of group
 * and others (0o020, 0o002) that a folder above it keeps out. Pure but for the user's id.
 */
export function describeForeignAccess(
  { uid, mode }: Pick<fs.Stats, 'uid' | 'mode'>,
  closedBits: number,
): string | undefined {
  if (uid !== process.geteuid?.()) return `belongs to another user (uid ${uid})`
  const open = mode & 0o022 & ~closedBits
  if (open === 0) return undefined
  const who = open === 0o020 ? 'its group' : open === 0o002 ? 'other users' : 'its group and other users'
  return `can be written by ${who}: chmod go-w`
}

/** Which writers the folders above this place keep out, as bits of a mode: `.agent-queue` and what is between. */
export function getClosedBits(repository: string, place: string): number {
  let closedBits = 0
  for (const folder of listFolders(repository).filter(folder => place.startsWith(`${folder}/`))) {
    const mode = fs.lstatSync(folder, { throwIfNoEntry: false })?.mode ?? 0
    closedBits |= (mode & 0o010 ? 0 : 0o020) | (mode & 0o001 ? 0 : 0o002)
  }
  return closedBits
}

// --- internal ---

function listFolders(repository: string): string[] {
  return [path.join(repository, QUEUE_FOLDER), getInbox(repository), getTakenFolder(repository)]
}

function refuseProblem(repository: string): void {
  const problem = findFolderProblem(repository)
  if (problem !== undefined)
    throw new DispatchError(problem, {
      exitCode: exitCodes.conflict,
      remedy: 'Look at it, and correct it or move it away. Then run the command again.',
    })
}
