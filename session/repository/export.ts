import fs from 'node:fs'
import { encodeName } from '#host/file-name.ts'
import type { SessionPaths } from '../paths.ts'
import { listBareGit, runBareGit, type SessionRepository } from './bare-git.ts'

/** Write the files of a commit into an empty folder, without any trace of git; or only `onlyFiles` of them. */
export async function exportTree(
  paths: SessionPaths,
  commit: string,
  folder: string,
  onlyFiles?: string[],
): Promise<void> {
  const index = `${folder}.index`
  await checkOutFiles(paths, commit, folder, index, onlyFiles)
  fs.rmSync(index, { force: true })
}

/** Write the files as above, and git's index of the folder. */
export async function checkOutFiles(
  paths: SessionPaths,
  commit: string,
  folder: string,
  index: string,
  onlyFiles?: string[],
): Promise<void> {
  const env = { GIT_INDEX_FILE: index }
  await runBareGit(paths, ['read-tree', commit], { env })
  const selection = onlyFiles === undefined ? ['--all'] : ['-z', '--stdin']
  const input = Buffer.concat((onlyFiles ?? []).map(file => encodeName(`${file}\0`)))
  const options = ['--force', '--index', ...selection]
  await runBareGit(paths, ['--work-tree', folder, 'checkout-index', ...options], { env, input })
}

/** List every file of a commit with its size in bytes and the hash of its content. */
export async function listCommitFiles(
  repository: SessionRepository,
  commit: string,
): Promise<{ path: string; sizeBytes: number; blob: string }[]> {
  const entries = await listBareGit(repository, ['ls-tree', '-r', '-l', '-z', commit])
  return entries.map(entry => {
    const nameStart = entry.indexOf('\t') + 1 // A name may have tabs too.
    const [, , blob = '', bytes] = entry.slice(0, nameStart).split(/\s+/)
    return { path: entry.slice(nameStart), sizeBytes: Number(bytes) || 0, blob }
  })
}

/** List the nested repositories of a commit. Its tree has only the hash of each one's commit, and none of its files. */
export async function listNestedRepositories(paths: SessionPaths, commit: string): Promise<string[]> {
  const entries = await listBareGit(paths, ['ls-tree', '-r', '-z', commit])
  return entries
    .filter(entry => entry.startsWith(`${NESTED_REPOSITORY_MODE} `))
    .map(entry => entry.slice(entry.indexOf('\t') + 1))
}

const NESTED_REPOSITORY_MODE = '160000'
