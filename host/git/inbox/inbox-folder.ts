import fs from 'node:fs'
import path from 'node:path'
import { readBytesIfPresent } from '../../fs/files.ts'
import { toStorageError } from '../../fs/storage-error.ts'
import { git, listWithGit, tryGit } from '../git.ts'

/**
 * What git tracks in a folder at the top of a checkout, or in its place, by the index or by the commit that is checked out: paths
 * from the top. The letters may differ in case, because some file systems do not tell `A` from `a`.
 */
export async function listTrackedBelow(repository: string, folder: string): Promise<string[]> {
  const inIndex = await listWithGit(['ls-files', '-z', '--', `:(top,icase)${folder}`], { cwd: repository })
  // `ls-tree` knows no `icase`, so the folders at the top are asked for by their names. Without a commit it fails.
  const list = ['ls-tree', '-z', '--name-only', '--full-tree', 'HEAD']
  const { exitCode, stdout } = await tryGit(list, { cwd: repository })
  const names = stdout.split('\0').filter(name => name.toLowerCase() === folder.toLowerCase())
  if (exitCode !== 0 || names.length === 0) return inIndex
  return [...inIndex, ...(await listWithGit([...list, '-r', '--', ...names], { cwd: repository }))]
}

/**
 * Is a git command at work in this checkout? While it writes files, the index does not name them yet. Ask this before you ask
 * what git tracks. Without an index, what it will name is not known, unless there is no commit yet.
 */
export async function isGitAtWork(repository: string): Promise<boolean> {
  if (fs.existsSync(await resolveGitPath(repository, 'index.lock'))) return true
  return !fs.existsSync(await resolveGitPath(repository, 'index')) && (await hasCommit(repository))
}

/** Have git ignore a pattern in this checkout, by `.git/info/exclude`. Returns false if the pattern was there. */
export async function excludePattern(repository: string, pattern: string): Promise<boolean> {
  const file = await resolveGitPath(repository, 'info/exclude')
  const text = readBytesIfPresent(file)?.toString('latin1') ?? ''
  if (text.split(/\r?\n/).includes(pattern)) return false
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${pattern}\n`)
  } catch (error) {
    throw toStorageError(file, error)
  }
  return true
}

// --- internal ---

async function hasCommit(repository: string): Promise<boolean> {
  return (await tryGit(['rev-parse', '--verify', '--quiet', 'HEAD'], { cwd: repository })).exitCode === 0
}

/** Right also in a linked work tree, and in a submodule. */
async function resolveGitPath(repository: string, name: string): Promise<string> {
  return path.resolve(repository, await git(['rev-parse', '--git-path', name], { cwd: repository }))
}
