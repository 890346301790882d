import fs from 'node:fs'
import path from 'node:path'
import { listFilteredFiles, listLfsPointers } from '../lfs/filters.ts'
import { getLfsObject } from '../lfs/lfs.ts'
import { findLfsFolder } from '../lfs/storage.ts'
import { findSubmodules, type LocalSubmodule } from '../submodules/submodules.ts'
import { formatCount, formatNames } from '../text.ts'
import { git, listTreeEntries, type RepositoryCommit, type TreeEntry, tryGit } from './git.ts'
import { isPartialClone } from './partial-clone.ts'

/** What a copy of this repository lacks or does differently, in words for the user. The repository is only read. */
export async function findRepoWarnings({
  path: top,
  commit,
  subfolder,
}: RepositoryCommit & { subfolder?: string | undefined }): Promise<string[]> {
  const [branch, entries, submodules, filterWarnings, lockPath, isPartial, isShallow] = await Promise.all([
    tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: top }),
    listTreeEntries({ path: top, commit }),
    findSubmodules({ path: top, commit }),
    findFilterWarnings({ path: top, commit }),
    git(['rev-parse', '--git-path', 'index.lock'], { cwd: top }),
    isPartialClone(top),
    git(['rev-parse', '--is-shallow-repository'], { cwd: top }),
  ])
  return [
    ...(branch.exitCode === 0 ? [] : ['no branch is checked out (detached HEAD); the work starts at that commit']),
    ...describeMissingSubfolder(subfolder, entries),
    ...(isPartial ? ['a partial clone: agents get the files of the commit, without its history'] : []),
    ...(isShallow === 'true' && !isPartial ? ['a shallow clone: agents get the history that is there'] : []),
    ...describeSubmodules(submodules),
    ...describeCaseClashes(entries),
    ...filterWarnings,
    ...(fs.existsSync(path.resolve(top, lockPath))
      ? ['.git/index.lock exists: another git runs there, or was killed; the lock is left alone']
      : []),
  ]
}

/** Submodules whose commit is not on this machine. Pure. */
export function describeSubmodules(submodules: LocalSubmodule[]): string[] {
  const missing = submodules.filter(({ gitFolder }) => gitFolder === undefined).map(submodule => submodule.path)
  if (missing.length === 0) return []
  const count = formatCount(missing.length, 'submodule')
  const [verb, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them']
  return [
    `${count} ${verb} not here and left empty: ${formatNames(missing, MAX_NAMES)}; to have ${them}: git submodule update --init --recursive`,
  ]
}

/** A new folder is not in the commit before it has a file that is. Pure. */
export function describeMissingSubfolder(subfolder: string | undefined, entries: TreeEntry[]): string[] {
  if (subfolder === undefined || entries.some(entry => entry.path.startsWith(`${subfolder}/`))) return []
  return [`${subfolder}, where you started, is not in the commit, so agents do not have it`]
}

/** Names that differ only in case, or in how an accent is written, are one file on the disk of a Mac. Pure. */
export function describeCaseClashes(entries: TreeEntry[]): string[] {
  const groups = new Map<string, string[]>()
  for (const { path: file } of entries) {
    const key = file.normalize('NFC').toLowerCase()
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()]
    .filter(files => files.length > 1)
    .slice(0, MAX_NAMES)
    .map(files => `${files.join(' and ')} are one file where case does not count: only one of them can be checked out`)
}

// --- internal ---

/** Files of Git LFS without their content, and files of filters that dispatch does not run. */
async function findFilterWarnings({ path: top, commit }: RepositoryCommit): Promise<string[]> {
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir']
  const gitFolder = await git(args, { cwd: top })
  const filters = [...(await listFilteredFiles(gitFolder, commit)).values()]
  const pointers = filters.includes('lfs') ? [...(await listLfsPointers(gitFolder, commit)).values()] : []
  const objects = await findLfsFolder(top)
  const missing = pointers.filter(pointer => !fs.existsSync(getLfsObject(objects, pointer)))
  const others = new Set(filters.filter(filter => filter !== 'lfs'))
  return [
    ...describeMissingContent(missing.length),
    ...[...others].map(filter => describeFilter(filter, filters.filter(other => other === filter).length)),
  ]
}

function describeMissingContent(files: number): string[] {
  if (files === 0) return []
  const subject = files === 1 ? 'file is a Git LFS pointer' : 'files are Git LFS pointers'
  return [`${files} ${subject} whose content is not here; to have it: git lfs pull`]
}

function describeFilter(filter: string, files: number): string {
  const form = filter.startsWith('git-crypt') ? 'encrypted' : 'as git stores them'
  return `${formatCount(files, 'file')} of the filter ${filter}: agents and checks see them ${form}, and work that changes them is refused`
}

const MAX_NAMES = 3
