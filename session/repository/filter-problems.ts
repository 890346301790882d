import { tryGit } from '#host/git'
import { listFilteredFiles, listLfsPointers } from '#host/lfs'
import type { SessionPaths } from '../paths.ts'
import { listBareGit } from './bare-git.ts'
import { listCommitFiles } from './export.ts'
import { keepLfsContent } from './lfs.ts'

/** Why files of the work cannot be committed as they are. */
export interface FilterProblem {
  kind: 'raw content' | 'content is missing' | 'filter does not run'
  filter: string
  path: string
}

/**
 * What is wrong with files of the work for which `.gitattributes` names a filter, before the work or after it. Dispatch runs no
 * filter that a repository names, so a file of another filter than Git LFS has no right content, in no commit of the work.
 * What dispatch's own filter has put away for Git LFS is kept with the evidence.
 */
export async function checkFilteredFiles(paths: SessionPaths, base: string, commit: string): Promise<FilterProblem[]> {
  const { bareRepository } = paths
  const files = await listCommitFiles(paths, commit)
  const written = await listWrittenFiles(paths, base, commit)
  const names = [...new Set([...files, ...written].map(file => file.path))]
  const before = await listFilteredFiles(bareRepository, base, names)
  const after = await listFilteredFiles(bareRepository, commit, names)
  if (before.size + after.size === 0) return []
  const pointers = await listLfsPointers(bareRepository, commit)
  const baseBlobs = new Set((await listCommitFiles(paths, base)).map(({ blob }) => blob))
  const problems: FilterProblem[] = []
  const add = (problem: FilterProblem) => problems.some(known => known.path === problem.path) || problems.push(problem)
  for (const { path: file, blob } of written) {
    const filter = [before.get(file), after.get(file)].find(name => name !== undefined && name !== 'lfs')
    // A file that was moved has the content that it had.
    if (filter === undefined || baseBlobs.has(blob) || (await isEncrypted(paths, blob, filter))) continue
    add({ kind: 'filter does not run', filter, path: file })
  }
  for (const { path: file, blob, sizeBytes } of files) {
    if (after.get(file) !== 'lfs' || baseBlobs.has(blob) || sizeBytes === 0) continue
    const pointer = pointers.get(file)
    if (pointer === undefined) add({ kind: 'raw content', filter: 'lfs', path: file })
    else if (!(await keepLfsContent(paths, pointer))) add({ kind: 'content is missing', filter: 'lfs', path: file })
  }
  return problems
}

// --- internal ---

const GIT_CRYPT_HEADER = '\0GITCRYPT\0'

/** Every version of a file that a commit of the work wrote: `apply` brings the earlier ones too. */
async function listWrittenFiles(
  paths: SessionPaths,
  base: string,
  commit: string,
): Promise<{ path: string; blob: string }[]> {
  const options = ['--format=', '--raw', '--no-abbrev', '--no-renames', '--diff-filter=d', '-m', '-z']
  const fields = await listBareGit(paths, ['log', ...options, commit, `^${base}`])
  const written: { path: string; blob: string }[] = []
  for (let index = 0; index < fields.length; index++) {
    const [, blob] = /^:\d{6} \d{6} [0-9a-f]{40} ([0-9a-f]{40}) [A-Z]$/.exec(fields[index] ?? '') ?? []
    if (blob !== undefined) written.push({ path: fields[++index] ?? '', blob })
  }
  return written
}

async function isEncrypted({ bareRepository }: SessionPaths, blob: string, filter: string): Promise<boolean> {
  if (!filter.startsWith('git-crypt')) return false
  const args = ['--git-dir', bareRepository, 'cat-file', 'blob', blob]
  return (await tryGit(args, { maxOutputBytes: GIT_CRYPT_HEADER.length })).stdout.startsWith(GIT_CRYPT_HEADER)
}
