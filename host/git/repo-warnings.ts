import fs from 'node:fs'
import path from 'node:path'
import { git, listTreeEntries, type TreeEntry, tryGit, type UserRepository } from './git.ts'

/** What a copy of this repository will lack, or do differently, in words for the user. The repository is only read. */
export async function findRepoWarnings({
  path: top,
  commit,
}: Pick<UserRepository, 'path' | 'commit'>): Promise<string[]> {
  const [branch, entries, pointers, lock] = await Promise.all([
    tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: top }),
    listTreeEntries({ path: top, commit }),
    git(['ls-files', '-z', '--', ':(attr:filter=lfs)'], { cwd: top }),
    git(['rev-parse', '--git-path', 'index.lock'], { cwd: top }),
  ])
  const stored = pointers.split('\0').filter(Boolean).length
  return [
    ...(branch.exitCode === 0 ? [] : ['no branch is checked out (detached HEAD); the work begins at that commit']),
    ...describeSubmodules(entries),
    ...describeCaseClashes(entries),
    ...(stored > 0
      ? [`${formatCount(stored, 'file')} of Git LFS: agents and checks see the pointers, not the content`]
      : []),
    ...(fs.existsSync(path.resolve(top, lock))
      ? ['an index.lock lies in .git: another git is at work there, or was killed; it is left alone']
      : []),
  ]
}

/** Submodules come as empty folders: nothing of theirs is fetched. Pure. */
export function describeSubmodules(entries: TreeEntry[]): string[] {
  const found = entries.filter(({ mode }) => mode === '160000').map(entry => entry.path)
  return found.length === 0 ? [] : [`${formatCount(found.length, 'submodule')} left empty: ${formatList(found)}`]
}

/** Names that differ only in case (or in how an accent is written) are one file on a Mac's disk. Pure. */
export function describeCaseClashes(entries: TreeEntry[]): string[] {
  const groups = new Map<string, string[]>()
  for (const { path: file } of entries) {
    const key = file.normalize('NFC').toLowerCase()
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()]
    .filter(files => files.length > 1)
    .slice(0, 3)
    .map(files => `${files.join(' and ')} are one file where case does not count: only one of them can be checked out`)
}

// --- internal ---

function formatCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function formatList(names: string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
