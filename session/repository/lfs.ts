import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { encodeName } from '#host/file-name.ts'
import { readIfPresent, toStorageError, writeAtomic } from '#host/fs'
import {
  copyLfsContent,
  findLfsFolder,
  getLfsObject,
  isLfsContent,
  type LfsPointer,
  listFilteredFiles,
  listLfsPointers,
  type PointerFile,
} from '#host/lfs'
import { formatNames } from '#host/text.ts'
import type { SessionPaths } from '../paths.ts'
import { findForeignConfig, runBareGit, type SessionRepository } from './bare-git.ts'
import { listWrittenFiles, type WrittenFile } from './written-files.ts'

/** Remember where Git LFS keeps the large files of the user's repository. They are read there, and not copied. */
export async function rememberLfsFolder(paths: SessionPaths, userRepository: string): Promise<void> {
  writeAtomic(paths.lfsSource, await findLfsFolder(userRepository))
}

/** Does a commit have files of Git LFS? */
export async function hasLfsFiles({ bareRepository }: SessionPaths, commit: string): Promise<boolean> {
  return (await listLfsPointers(bareRepository, commit)).size > 0
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
  const input = encodeName(written.join(''))
  await runBareGit(paths, ['update-index', '-z', '--index-info'], { env, input })
}

/** The files of Git LFS of a commit whose content is not on this machine. */
export async function listMissingLfsFiles(
  paths: SessionPaths,
  commit: string,
): Promise<(readonly [file: string, pointer: PointerFile])[]> {
  const pointers = await listLfsPointers(paths.bareRepository, commit)
  return [...pointers].filter(([, pointer]) => findLfsContent(paths, pointer) === undefined)
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

/** Have the content at hand: what a worker made is copied out of `outputs/`, where it may change. */
export async function keepLfsContent(paths: SessionPaths, pointer: LfsPointer): Promise<boolean> {
  if (findLfsContent(paths, pointer) !== undefined) return true
  const made = getLfsObject(getMadeObjects(paths), pointer)
  return copyLfsContent(made, getLfsObject(paths.lfsObjects, pointer), pointer)
}

/** A version of a file that a commit of the work wrote, and that this commit gives to Git LFS. */
interface LfsVersion extends WrittenFile {
  /** Undefined if the file is not a pointer. */
  pointer: PointerFile | undefined
}

/** What the commits of the work wrote for Git LFS: a later push of them sends the content of each, also of earlier versions. */
export async function listLfsVersions(
  paths: SessionPaths,
  { commit, base }: { commit: string; base: string },
): Promise<LfsVersion[]> {
  const { bareRepository } = paths
  const written = await listWrittenFiles(paths, base, commit)
  const names = [...new Set(written.map(file => file.path))]
  const filters = await Promise.all([base, commit].map(each => listFilteredFiles(bareRepository, each, names)))
  const candidates = written.filter(file => filters.some(each => each.get(file.path) === 'lfs'))
  const versions: LfsVersion[] = []
  for (const [id, files] of Map.groupBy(candidates, file => file.commit)) {
    const own = await listFilteredFiles(
      bareRepository,
      id,
      files.map(file => file.path),
    )
    const pointers = await listLfsPointers(bareRepository, id)
    const given = files.filter(file => own.get(file.path) === 'lfs')
    versions.push(...given.map(file => ({ ...file, pointer: pointers.get(file.path) })))
  }
  return versions
}

/**
 * Bring the content of the work's pointers, in all its commits, to where Git LFS of the user's repository looks for it. Exit 13 if
 * some cannot be brought, 10 on a full disk. What the base lacks too is no loss.
 */
export async function applyLfsContent(
  paths: SessionPaths,
  { commit, base }: { commit: string; base: string },
  userRepository: string,
): Promise<void> {
  const pointers = await listWorkPointers(paths, { commit, base })
  if (pointers.length === 0) return
  const target = await findLfsFolder(userRepository)
  const known = new Set([...(await listLfsPointers(paths.bareRepository, base)).values()].map(({ oid }) => oid))
  for (const [name, pointer] of pointers) {
    const file = getLfsObject(target, pointer)
    if (hasObject(target, pointer)) continue
    await keepLfsContent(paths, pointer)
    const isCopied = await copyLfsContent(getLfsObject(paths.lfsObjects, pointer), file, pointer).catch(error => {
      throw toStorageError(file, error)
    })
    if (!isCopied && !known.has(pointer.oid)) throw createMissingError(paths, commit, formatNames([name]))
  }
}

/** The files of the work, in all its commits, whose content of Git LFS a session has and this repository has not. */
export async function listUnsavedLfsFiles(
  paths: SessionPaths,
  work: { commit: string; base: string },
  userRepository: string,
): Promise<string[]> {
  if (findForeignConfig(paths) !== undefined) return fs.existsSync(paths.lfsObjects) ? [paths.lfsObjects] : []
  const pointers = await listWorkPointers(paths, work)
  if (pointers.length === 0) return []
  const target = await findLfsFolder(userRepository)
  const own = [paths.lfsObjects, getMadeObjects(paths)]
  const isMissing = (pointer: PointerFile) =>
    own.some(folder => hasObject(folder, pointer)) && !hasObject(target, pointer)
  return [...new Set(pointers.flatMap(([file, pointer]) => (isMissing(pointer) ? [file] : [])))]
}

// --- internal ---

/** The pointers that a commit has, and those that the commits of the work before it had. */
async function listWorkPointers(
  paths: SessionPaths,
  { commit, base }: { commit: string; base: string },
): Promise<(readonly [file: string, pointer: PointerFile])[]> {
  const versions = await listLfsVersions(paths, { commit, base })
  return [
    ...(await listLfsPointers(paths.bareRepository, commit)),
    ...versions.flatMap(({ path: file, pointer }) => (pointer ? [[file, pointer] as const] : [])),
  ]
}

/** Where git of the workers puts what they made. */
function getMadeObjects({ outputs }: SessionPaths): string {
  return path.join(outputs, '.git/lfs/objects')
}

/** A file of another size is a part of it, as a full disk leaves one. */
function hasObject(folder: string, pointer: LfsPointer): boolean {
  return fs.statSync(getLfsObject(folder, pointer), { throwIfNoEntry: false })?.size === pointer.bytes
}

function createMissingError({ bareRepository }: SessionPaths, commit: string, file: string): DispatchError {
  return new DispatchError(`the Git LFS content of ${file} is not in the session any more`, {
    exitCode: exitCodes.integrity,
    remedy: `No branch was created. To have the commits without it: git fetch '${bareRepository}' ${commit}`,
  })
}

/** Where the content of a pointer is: in the session, if a worker made it, or in the user's repository. */
function findLfsContent(paths: SessionPaths, pointer: LfsPointer): string | undefined {
  const folders = [paths.lfsObjects, readIfPresent(paths.lfsSource)]
  return folders
    .flatMap(folder => (folder === undefined ? [] : [getLfsObject(folder, pointer)]))
    .find(file => fs.existsSync(file))
}

const OWNER_EXECUTES = 0o100n

/** Files that were compared, by size, time and inode: a session may have many, and they are looked at again and again. */
const knownFiles = new Map<string, string>()

async function isSameContent(file: string, pointer: PointerFile): Promise<boolean> {
  const stat = fs.lstatSync(encodeName(file), { throwIfNoEntry: false, bigint: true })
  if (stat === undefined || ((stat.mode & OWNER_EXECUTES) !== 0n) !== pointer.isExecutable) return false
  const identity = [pointer.oid, stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].join(' ')
  if (knownFiles.get(file) === identity) return true
  if (!(await isLfsContent(file, pointer))) return false
  knownFiles.set(file, identity)
  return true
}
