import { tryGit } from '#host/git'
import { listFilteredFiles } from '#host/lfs'
import type { SessionPaths } from '../paths.ts'
import { listCommitFiles } from './commit-files.ts'
import { keepLfsContent, listLfsVersions } from './lfs.ts'
import { listWrittenFiles } from './written-files.ts'

/** Why files of the work cannot be committed as they are. */
export interface FilterProblem {
  kind: 'raw content' | 'content is missing' | 'filter does not run'
  filter: string
  path: string
}

/**
 * What is wrong with files of the work for which `.gitattributes` names a filter, before the work or after it, in any of its
 * commits. Dispatch runs no filter that a repository names, so a file of another filter than Git LFS has no right content. What
 * dispatch's own filter has put away for Git LFS is kept with the evidence.
 */
export async function checkFilteredFiles(paths: SessionPaths, base: string, commit: string): Promise<FilterProblem[]> {
  const { bareRepository } = paths
  const written = await listWrittenFiles(paths, base, commit)
  const names = [...new Set(written.map(file => file.path))]
  const before = await listFilteredFiles(bareRepository, base, names)
  const after = await listFilteredFiles(bareRepository, commit, names)
  if (before.size + after.size === 0) return []
  const baseBlobs = new Set((await listCommitFiles(paths, base)).map(({ blob }) => blob))
  const problems: FilterProblem[] = []
  const add = (problem: FilterProblem) => problems.some(known => known.path === problem.path) || problems.push(problem)
  for (const { path: file, blob } of written) {
    const filter = [before.get(file), after.get(file)].find(name => name !== undefined && name !== 'lfs')
    // A file that was moved has the content that it had.
    if (filter === undefined || baseBlobs.has(blob) || (await isEncrypted(paths, blob, filter))) continue
    add({ kind: 'filter does not run', filter, path: file })
  }
  for (const { path: file, blob, pointer } of await listLfsVersions(paths, { base, commit })) {
    if (baseBlobs.has(blob) || blob === EMPTY_BLOB) continue
    if (pointer === undefined) add({ kind: 'raw content', filter: 'lfs', path: file })
    else if (!(await keepLfsContent(paths, pointer))) add({ kind: 'content is missing', filter: 'lfs', path: file })
  }
  return problems
}

// --- internal ---

/** Git's hash of no bytes. Git LFS makes no pointer of them. */
const EMPTY_BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
const GIT_CRYPT_HEADER = '\0GITCRYPT\0'

async function isEncrypted({ bareRepository }: SessionPaths, blob: string, filter: string): Promise<boolean> {
  if (!filter.startsWith('git-crypt')) return false
  const args = ['--git-dir', bareRepository, 'cat-file', 'blob', blob]
  return (await tryGit(args, { maxOutputBytes: GIT_CRYPT_HEADER.length })).stdout.startsWith(GIT_CRYPT_HEADER)
}
