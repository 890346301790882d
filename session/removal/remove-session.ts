import fs from 'node:fs'
import path from 'node:path'
import { deleteFolder, listNames, toStorageError } from '#host/fs'
import { findCommitWithTree, isReachable, resolveTree } from '#host/git'
import { formatNames } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import { readLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import type { SessionPaths } from '../paths.ts'
import { findForeignConfig } from '../repository/bare-git.ts'
import { listDifferences } from '../repository/diff.ts'
import { listUnsavedLfsFiles } from '../repository/lfs.ts'
import { type Commit, importWork } from '../repository/repository.ts'
import { listSubmoduleChanges, listSubmoduleCommits } from '../repository/submodules.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'

/** Work that exists only in the session, and what to do about it. */
export interface UnsavedWork {
  description: string
  remedy: string
}

/** What would be lost with this session; undefined without any work, or if a repository among `folders` has it. */
export async function findUnsavedWork(session: Session, folders: string[]): Promise<UnsavedWork | undefined> {
  const { outputs, folder } = session.paths
  const remedy = `To look at it: ${fs.existsSync(outputs) ? outputs : folder}`
  try {
    return await compareWork(session, folders, remedy)
  } catch (error) {
    return { description: `dispatch cannot tell what would be lost: ${describeError(folder, error)}`, remedy }
  }
}

/** Delete a session's folder. It is renamed first, so that an interruption leaves no half session in the list. */
export function removeSession(workspace: string, { id, paths }: Session): void {
  const removedFolder = path.join(workspace, `${REMOVED_PREFIX}${id}`)
  try {
    deleteFolder(removedFolder)
    fs.renameSync(paths.folder, removedFolder)
  } catch (error) {
    throw toStorageError(paths.folder, error)
  }
  deleteFolder(removedFolder)
}

/** Delete what earlier, interrupted removals have left. */
export function finishRemovals(workspace: string): void {
  for (const name of listNames(workspace).filter(name => name.startsWith(REMOVED_PREFIX)))
    deleteFolder(path.join(workspace, name))
}

// --- internal ---

async function compareWork(session: Session, folders: string[], remedy: string): Promise<UnsavedWork | undefined> {
  const { id, paths, manifest } = session
  const status = computeStatus(readLog(paths.events).events)
  const hasOutputs = fs.existsSync(paths.outputs)
  if (status.base === undefined) {
    if (hasOutputs || mayHaveWork(session)) throw new Error('events.jsonl lacks the base')
    return undefined
  }
  const head = hasOutputs ? await importWork(paths) : undefined
  const uncommittedFiles = head === undefined ? [] : await listDifferences(paths, head.commit)
  if (uncommittedFiles.length > 0)
    return { description: `not committed in outputs/: ${formatNames(uncommittedFiles)}`, remedy }
  const submodules = hasOutputs ? await listSubmoduleWork(paths, status.base.commit) : []
  if (submodules.length > 0)
    return { description: `changed inside a submodule of outputs/: ${formatNames(submodules)}`, remedy }
  const openedAt = new Date(manifest.openedAt)
  for (const commit of listFinalCommits(status, head)) {
    const answers = await Promise.all(folders.map(folder => hasWork(folder, paths, commit, openedAt)))
    const savedIn = folders.filter((_, index) => answers[index])
    const work = { commit, base: status.base.commit }
    const missingFiles = await Promise.all(savedIn.map(folder => listUnsavedLfsFiles(paths, work, folder)))
    if (missingFiles.some(files => files.length === 0)) continue
    if (missingFiles[0])
      return {
        description: `${savedIn[0]} lacks the Git LFS content of ${formatNames(missingFiles[0])}`,
        remedy: `To bring it: dispatch apply ${id.slice(-4)} --branch NAME`,
      }
    const judged = commit === status.verdict?.commit ? ' (judged)' : ''
    const where = manifest.repository ? `branch of ${manifest.repository.path}` : 'known repository'
    return {
      description: `commit ${commit.slice(0, 10)}${judged} is not in any ${where}`,
      remedy: `To keep it: dispatch apply ${id.slice(-4)}`,
    }
  }
  return undefined
}

/** A full disk in words, wherever it was met. */
function describeError(folder: string, error: unknown): string {
  const known = toStorageError(folder, error)
  return known instanceof Error ? known.message : String(known)
}

const REMOVED_PREFIX = '.removed-'

/** Files of submodules that differ from the base, and submodules with commits of their own. None of it is ever applied. */
async function listSubmoduleWork(paths: SessionPaths, base: string): Promise<string[]> {
  return [
    ...(await listSubmoduleChanges(paths, base)).map(change => change.path),
    ...(await listSubmoduleCommits(paths, base)),
  ]
}

/** The commits the work ended in, without the base. */
function listFinalCommits({ base, verdict, acceptedCommit }: SessionStatus, head: Commit | undefined): string[] {
  const commits = new Set([verdict?.commit, acceptedCommit, head?.commit].filter(commit => commit !== undefined))
  return [...commits].filter(commit => commit !== base?.commit)
}

/** Before the base there is only a copy of the user's repository, unless a log that was damaged has lost the base. */
function mayHaveWork({ paths }: Session): boolean {
  return fs.existsSync(paths.bareRepository) && listNames(paths.workers).length > 0
}

/** Does a repository have this commit, or one with the same files, as after `apply --squash`? */
async function hasWork(folder: string, paths: SessionPaths, commit: string, openedAt: Date): Promise<boolean> {
  if (await isReachable(folder, commit)) return true
  const tree = findForeignConfig(paths) === undefined ? await resolveTree(paths.bareRepository, commit) : undefined
  if (tree === undefined) return false
  return (await findCommitWithTree(folder, tree, new Date(openedAt.getTime() - DAY_MS))) !== undefined
}
