import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { SessionPaths } from '../paths.ts'
import type { SessionStatus } from '../status/status-types.ts'
import { hasCommit, listBareGit, requireUnmodifiedRepository, runBareGit, type SessionRepository } from './bare-git.ts'
import { omitLfsContent } from './lfs.ts'
import { createCache } from './lru-cache.ts'
import { omitSameBytes } from './unnormalized.ts'

/** What git saw of each file when it last compared them: an index, which only dispatch writes. */
export interface KnownFiles {
  index: string
  /** Is the index written? Only the runner may do that; others read a copy. */
  isKept: boolean
}

/**
 * List the files of `outputs/` that differ from a commit: changed, missing or new, without ignored ones. Every file is read;
 * with `known` files, only those whose size, times or inode have changed since.
 */
export async function listDifferences(
  repository: SessionRepository,
  commit: string,
  known?: KnownFiles,
): Promise<string[]> {
  if (known === undefined) return compareFiles(repository, commit)
  try {
    return await compareFiles(repository, commit, known)
  } catch {
    // git may refuse what was kept. Without it, every file is read.
    if (known.isKept) for (const file of [known.index, `${known.index}.lock`]) fs.rmSync(file, { force: true })
    return compareFiles(repository, commit)
  }
}

async function compareFiles(repository: SessionRepository, commit: string, known?: KnownFiles): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-index-'))
  const index = known?.isKept ? known.index : path.join(folder, 'index')
  const env = { GIT_INDEX_FILE: index, GIT_OPTIONAL_LOCKS: '1' } // With its locks, git keeps what it saw.
  try {
    if (known && !known.isKept && fs.existsSync(known.index)) fs.copyFileSync(known.index, index)
    if (!fs.existsSync(index)) await runBareGit(repository, ['read-tree', commit], { env })
    const args = ['--work-tree', repository.outputs, 'status', '--porcelain', '-z', ...statusOptions]
    const entries = await listBareGit(repository, args, { env })
    // In `XY path`, X compares the index with HEAD, which does not matter here. Untracked files (`??`) and Y count.
    const differing = entries.filter(entry => entry.startsWith('??') || entry[1] !== ' ').map(entry => entry.slice(3))
    return await omitLfsContent(repository, commit, await omitSameBytes(repository, commit, differing))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Without the last one git would enter a nested repository, and run the filters that its configuration names. */
const statusOptions = ['--untracked-files=all', '--no-renames', '--ignore-submodules=all']

/** List what changed in `outputs/` since the current verdict; empty while the verdict is valid. Every file is read. */
export async function listChangesSinceVerdict(
  paths: SessionPaths,
  { verdict }: Pick<SessionStatus, 'verdict'>,
  known?: KnownFiles,
): Promise<string[]> {
  if (!verdict) return []
  if (!fs.existsSync(paths.outputs)) return ['outputs/']
  try {
    return await listDifferences(paths, verdict.commit, known)
  } catch (error) {
    if (await hasCommit(paths, verdict.commit)) throw error
    return ['evidence/repository.git'] // The judged commit is gone, so nothing can be compared with it.
  }
}

/**
 * The same, and cheap: what the runner has seen since the verdict is not read again. For a look, such as a list of sessions;
 * what is decided by is compared as above.
 */
export function listVisibleChanges(paths: SessionPaths, status: SessionStatus, isRunner = false): Promise<string[]> {
  const index = paths.verdictIndex(status.verdict?.commit ?? '')
  return listChangesSinceVerdict(paths, status, { index, isKept: isRunner })
}

/** Describe why a verdict is void after changes to these files; undefined without any. Pure. */
export function describeVoidReason(changedFiles: string[]): string | undefined {
  if (changedFiles.length === 0) return undefined
  const shown = changedFiles.slice(0, MAX_SHOWN_FILES).join(', ').slice(0, MAX_SHOWN_CHARS)
  const more = changedFiles.length > MAX_SHOWN_FILES ? ` and ${changedFiles.length - MAX_SHOWN_FILES} more` : ''
  return `${shown}${more} changed in outputs/ after the verdict`
}

const MAX_SHOWN_FILES = 5
const MAX_SHOWN_CHARS = 340

interface ChangedPath {
  path: string
  change: 'added' | 'changed' | 'removed'
}

const MAX_KEPT_PATHS = 10_000
const knownChanges = createCache<readonly ChangedPath[]>(MAX_KEPT_PATHS)

/** List the paths that differ between two commits, by their hashes. The content of a hash never changes, so the answer is kept. */
export async function listChangedPaths(
  repository: SessionRepository,
  fromCommit: string,
  toCommit: string,
): Promise<readonly ChangedPath[]> {
  requireUnmodifiedRepository(repository)
  const key = `${repository.bareRepository} ${fromCommit} ${toCommit}`
  const known = knownChanges.get(key)
  if (known) return known
  const options = ['--name-status', '--no-renames', '-z']
  const fields = await listBareGit(repository, ['diff', ...options, fromCommit, toCommit, '--'])
  const changes = pairFields(fields).map(([status, file]): ChangedPath => {
    return { path: file, change: status === 'A' ? 'added' : status === 'D' ? 'removed' : 'changed' }
  })
  if ([fromCommit, toCommit].every(name => COMMIT_HASH.test(name))) knownChanges.set(key, changes, changes.length + 1)
  return changes
}

const COMMIT_HASH = /^[0-9a-f]{40}$/

/** Pair the fields of a listing that has a status and a path in turn. Pure. */
export function pairFields(fields: string[]): [status: string, path: string][] {
  return fields.flatMap((status, index) => (index % 2 === 0 ? [[status, fields[index + 1] ?? '']] : []))
}
