import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent, writeAtomic } from '#host/fs'
import { git, tryGit } from '#host/git'
import {
  copyLfsContent,
  getLfsObject,
  isLfsContent,
  type LfsPointer,
  listFilteredFiles,
  listLfsPointers,
  type PointerFile,
} from '#host/lfs'
import type { SessionPaths } from '../paths.ts'
import { listBareGit, runBareGit, type SessionRepository } from './bare-git.ts'
import { listCommitFiles } from './export.ts'

/** Remember where Git LFS keeps the large files of the user's repository. They are read there, and not copied. */
export async function rememberLfsFolder(paths: SessionPaths, userRepository: string): Promise<void> {
  writeAtomic(paths.lfsSource, await findLfsFolder(userRepository))
}

/** Put the content in the place of each pointer of a commit, in a work tree that only dispatch has written so far. */
export async function writeLfsFiles(paths: SessionPaths, commit: string, folder: string): Promise<void> {
  const written: string[] = []
  for (const [file, pointer] of await listLfsPointers(paths.bareRepository, commit)) {
    const source = findLfsContent(paths, pointer)
    if (source === undefined || !(await copyLfsContent(source, path.join(folder, file), pointer))) continue
    written.push(`${pointer.isExecutable ? '100755' : '100644'} ${pointer.blob}\t${file}\0`)
  }
  if (written.length === 0) return
  // Git's index has the size of the pointer, and would call the file changed without asking the filter.
  const env = { GIT_INDEX_FILE: path.join(folder, '.git/index') }
  await runBareGit(paths, ['update-index', '-z', '--index-info'], { env, input: written.join('') })
}

/** Those of the files that are not the content of the pointer which a commit has in their place. */
export async function omitLfsContent(
  repository: SessionRepository,
  commit: string,
  files: string[],
): Promise<string[]> {
  if (files.length === 0) return files
  const pointers = await listLfsPointers(repository.bareRepository, commit)
  const others: string[] = []
  for (const file of files) {
    const pointer = pointers.get(file)
    if (!pointer || !(await isSameContent(path.join(repository.outputs, file), pointer))) others.push(file)
  }
  return others
}

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

/** Bring the content of the work's pointers to where Git LFS of the user's repository looks for it. */
export async function applyLfsContent(paths: SessionPaths, commit: string, userRepository: string): Promise<void> {
  const target = await findLfsFolder(userRepository)
  for (const pointer of (await listLfsPointers(paths.bareRepository, commit)).values()) {
    const file = getLfsObject(target, pointer)
    if (!fs.existsSync(file)) await copyLfsContent(getLfsObject(paths.lfsObjects, pointer), file, pointer)
  }
}

// --- internal ---

async function findLfsFolder(repository: string): Promise<string> {
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir']
  return path.join(await git(args, { cwd: repository }), 'lfs/objects')
}

/** Where the content of a pointer is: in the session, if a worker made it, or in the user's repository. */
function findLfsContent(paths: SessionPaths, pointer: LfsPointer): string | undefined {
  const folders = [paths.lfsObjects, readIfPresent(paths.lfsSource)]
  return folders
    .flatMap(folder => (folder === undefined ? [] : [getLfsObject(folder, pointer)]))
    .find(file => fs.existsSync(file))
}

/** Have the content at hand: what a worker made is copied out of `outputs/`, where it may change. */
async function keepLfsContent(paths: SessionPaths, pointer: LfsPointer): Promise<boolean> {
  if (findLfsContent(paths, pointer) !== undefined) return true
  const made = getLfsObject(path.join(paths.outputs, '.git/lfs/objects'), pointer)
  return copyLfsContent(made, getLfsObject(paths.lfsObjects, pointer), pointer)
}

const GIT_CRYPT_HEADER = '\0GITCRYPT\0'
const OWNER_EXECUTES = 0o100n

/** Files that were compared, by size, time and inode: a session may have many, and they are looked at again and again. */
const knownFiles = new Map<string, string>()

async function isSameContent(file: string, pointer: PointerFile): Promise<boolean> {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
  if (stat === undefined || ((stat.mode & OWNER_EXECUTES) !== 0n) !== pointer.isExecutable) return false
  const identity = [pointer.oid, stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].join(' ')
  if (knownFiles.get(file) === identity) return true
  if (!(await isLfsContent(file, pointer))) return false
  knownFiles.set(file, identity)
  return true
}

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
