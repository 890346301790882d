import fs from 'node:fs'
import path from 'node:path'
import { readBytesIfPresent, toStorageError } from '../../fs/files.ts'
import { git, listWithGit } from '../git.ts'

/**
 * What git tracks in a folder at the top of a checkout, or in its place: paths from the top. The letters may differ in case,
 * because some file systems do not tell `A` from `a`.
 */
export async function listTrackedBelow(repository: string, folder: string): Promise<string[]> {
  return listWithGit(['ls-files', '-z', '--', `:(top,icase)${folder}`], { cwd: repository })
}

/**
 * Is a git command at work in this checkout? While it writes files, the index does not name them yet. Ask this before you ask
 * what git tracks.
 */
export async function isGitAtWork(repository: string): Promise<boolean> {
  return fs.existsSync(await resolveGitPath(repository, 'index.lock'))
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

/** Right also in a linked work tree, and in a submodule. */
async function resolveGitPath(repository: string, name: string): Promise<string> {
  return path.resolve(repository, await git(['rev-parse', '--git-path', name], { cwd: repository }))
}
