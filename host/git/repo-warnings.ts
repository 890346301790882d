import fs from 'node:fs'
import path from 'node:path'
import { findSubmodules, type LocalSubmodule } from '../submodules/submodules.ts'
import { formatCount, formatNames } from '../text.ts'
import { git, listTreeEntries, listWithGit, type RepositoryCommit, type TreeEntry, tryGit } from './git.ts'
import { isPartialClone } from './partial-clone.ts'

/** What a copy of this repository lacks or does differently, in words for the user. The repository is only read. */
export async function findRepoWarnings({ path: top, commit }: RepositoryCommit): Promise<string[]> {
  const [branch, entries, submodules, lfsFiles, lockPath, isPartial, isShallow] = await Promise.all([
    tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: top }),
    listTreeEntries({ path: top, commit }),
    findSubmodules({ path: top, commit }),
    listWithGit(['ls-files', '-z', '--', ':(attr:filter=lfs)'], { cwd: top }),
    git(['rev-parse', '--git-path', 'index.lock'], { cwd: top }),
    isPartialClone(top),
    git(['rev-parse', '--is-shallow-repository'], { cwd: top }),
  ])
  return [
    ...(branch.exitCode === 0 ? [] : ['no branch is checked out (detached HEAD); the work starts at that commit']),
    ...(isPartial ? ['a partial clone: agents get the files of the commit, without its history'] : []),
    ...(isShallow === 'true' ? ['a shallow clone: agents get the history that is there'] : []),
    ...describeSubmodules(submodules),
    ...describeCaseClashes(entries),
    ...(lfsFiles.length > 0
      ? [`${formatCount(lfsFiles.length, 'file')} of Git LFS: agents and checks see the pointers, not the content`]
      : []),
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

const MAX_NAMES = 3
