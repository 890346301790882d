import fs from 'node:fs'
import path from 'node:path'
import { type Entry, entriesAt, git, type Repository, tryGit } from './git.ts'

/** What a copy of this repository will lack, or do differently, in words for the user. The repository is only read. */
export async function quirksOf({ path: top, commit }: Pick<Repository, 'path' | 'commit'>): Promise<string[]> {
  const [branch, entries, pointers, lock] = await Promise.all([
    tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: top }),
    entriesAt({ path: top, commit }),
    git(['ls-files', '-z', '--', ':(attr:filter=lfs)'], { cwd: top }),
    git(['rev-parse', '--git-path', 'index.lock'], { cwd: top }),
  ])
  const stored = pointers.split('\0').filter(Boolean).length
  return [
    ...(branch.code === 0 ? [] : ['no branch is checked out (detached HEAD); the work begins at that commit']),
    ...nested(entries),
    ...clashes(entries),
    ...(stored > 0
      ? [`${counted(stored, 'file')} of Git LFS: agents and checks see the pointers, not the content`]
      : []),
    ...(fs.existsSync(path.resolve(top, lock))
      ? ['an index.lock lies in .git: another git is at work there, or was killed; it is left alone']
      : []),
  ]
}

/** Submodules come as empty folders: nothing of theirs is fetched. Pure. */
export function nested(entries: Entry[]): string[] {
  const found = entries.filter(({ mode }) => mode === '160000').map(entry => entry.path)
  return found.length === 0 ? [] : [`${counted(found.length, 'submodule')} left empty: ${listed(found)}`]
}

/** Names that differ only in case (or in how an accent is written) are one file on a Mac's disk. Pure. */
export function clashes(entries: Entry[]): string[] {
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

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function listed(names: string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
