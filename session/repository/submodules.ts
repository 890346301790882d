import fs from 'node:fs'
import path from 'node:path'
import { findSubmodules, listSubmodules, packCommit, type Submodule } from '#host/submodules'
import type { SessionPaths } from '../paths.ts'
import { hasCommit } from './bare-git.ts'
import { checkOutFiles, listCommitFiles } from './commit-files.ts'
import { listDifferences } from './diff.ts'
import { createGitFolder } from './git-folder.ts'
import { quoteName } from './quote.ts'
import { listRefs } from './refs.ts'

/**
 * Bring the files of the submodules of a commit, which the bare repository has, into it, as far as they are on this machine; once the
 * base was prepared, also to where checks and agents read its objects.
 */
export async function importSubmodules(paths: SessionPaths, userRepository: string, commit: string): Promise<void> {
  knownSubmodules.clear()
  const [own, shared] = [path.join(paths.bareRepository, 'objects/pack'), path.join(paths.baseObjects, 'pack')]
  const folders = fs.existsSync(shared) ? [own, shared] : [own]
  for (const submodule of await findSubmodules({ path: userRepository, commit }, paths.bareRepository))
    if (submodule.gitFolder !== undefined)
      for (const folder of folders) await packCommit(submodule.gitFolder, submodule.commit, folder)
}

/** The submodules of a commit whose files are not in the session, as far as they can be found without them. */
export async function listMissingSubmodules(paths: SessionPaths, commit: string): Promise<Submodule[]> {
  const parents = [{ path: '', commit }, ...(await findPresentSubmodules(paths, commit))]
  const missing: Submodule[] = []
  for (const parent of parents)
    for (const submodule of await listSubmodules(paths.bareRepository, parent.commit))
      if (!(await hasCommit(paths, submodule.commit)))
        missing.push({ ...submodule, path: path.posix.join(parent.path, submodule.path) })
  return missing
}

/**
 * Write the files of a commit's submodules into a work tree that only dispatch has written so far, each as a repository with
 * one commit, as `git submodule update` would leave it.
 */
export async function writeSubmodules(paths: SessionPaths, commit: string, folder: string): Promise<void> {
  for (const submodule of await findPresentSubmodules(paths, commit)) {
    const target = path.join(folder, submodule.path)
    if (!isPlainFolder(folder, submodule.path)) continue
    const parent = path.join(folder, submodule.parentPath)
    const parentGitFolder = submodule.parentPath === '' ? '.git' : getModuleFolder(submodule.parentPath)
    const gitFolder = path.join(folder, getModuleFolder(submodule.path))
    const worktree = `[core]\n\tworktree = ${quoteName(path.relative(gitFolder, target))}\n`
    createGitFolder(paths, gitFolder, { head: submodule.commit, shallow: [submodule.commit], config: worktree })
    await checkOutFiles(paths, submodule.commit, target, path.join(gitFolder, 'index'))
    fs.writeFileSync(path.join(target, '.git'), `gitdir: ${path.relative(target, gitFolder)}\n`)
    // With these settings git knows that there is nothing to fetch.
    const setting = `[submodule ${quoteName(submodule.name)}]\n\tactive = true\n\turl = ${quoteName(`./${path.relative(parent, gitFolder)}`)}\n`
    fs.appendFileSync(path.join(folder, parentGitFolder, 'config'), setting)
  }
}

/** Every file of a commit, with those of the submodules that are here in place of the submodules. */
export async function listAllFiles(paths: SessionPaths, commit: string): Promise<string[]> {
  const submodules = await findPresentSubmodules(paths, commit)
  const folders = [{ path: '', commit }, ...submodules]
  const lists = await Promise.all(
    folders.map(async folder =>
      (await listCommitFiles(paths, folder.commit)).map(file => path.posix.join(folder.path, file.path)),
    ),
  )
  const present = new Set(submodules.map(submodule => submodule.path))
  return lists.flat().filter(file => !present.has(file))
}

/** A file of a submodule that differs in `outputs/` from the commit that is recorded for the submodule. */
export interface SubmoduleChange {
  /** From the top of the work tree. */
  path: string
  /** Is it not in that commit, as what a build makes is not? */
  isNew: boolean
  /** Does `.gitmodules` say to ignore it? */
  isIgnored: boolean
}

/** The files of submodules that differ in `outputs/` from the commit that is recorded for the submodule, which is what counts. */
export async function listSubmoduleChanges(paths: SessionPaths, commit: string): Promise<SubmoduleChange[]> {
  const changes: SubmoduleChange[] = []
  for (const { path: name, commit: recorded, ignored } of await findPresentSubmodules(paths, commit)) {
    if (!isPlainFolder(paths.outputs, name)) continue
    const repository = { bareRepository: paths.bareRepository, outputs: path.join(paths.outputs, name) }
    const files = await listDifferences(repository, recorded)
    if (files.length === 0) continue
    const known = new Set((await listCommitFiles(repository, recorded)).map(file => file.path))
    for (const file of files) {
      const isNew = !known.has(file)
      const isIgnored = ignored === 'everything' || (isNew && ignored === 'new files')
      changes.push({ path: path.posix.join(name, file), isNew, isIgnored })
    }
  }
  return changes
}

/** The submodules in `outputs/` that have commits of their own: any branch or HEAD that is not at the recorded commit. */
export async function listSubmoduleCommits(paths: SessionPaths, commit: string): Promise<string[]> {
  const changed: string[] = []
  for (const { path: name, commit: recorded } of await findPresentSubmodules(paths, commit)) {
    // An agent may have made another repository in its place.
    const gitFolders = [path.join(paths.outputs, getModuleFolder(name)), path.join(paths.outputs, name, '.git')]
    const commits = gitFolders.flatMap(gitFolder => [...listRefs(gitFolder)].map(([, hash]) => hash))
    if (commits.some(hash => hash !== recorded)) changed.push(name)
  }
  return changed
}

/** The submodules of the base that a commit moves to another commit, and where they were. */
export async function listMovedSubmodules(
  { bareRepository }: SessionPaths,
  base: string,
  commit: string,
): Promise<{ path: string; recorded: string }[]> {
  const before = await listSubmodules(bareRepository, base)
  const after = before.length > 0 ? await listSubmodules(bareRepository, commit) : []
  return before
    .filter(({ path: name, commit: recorded }) => after.some(each => each.path === name && each.commit !== recorded))
    .map(({ path: name, commit: recorded }) => ({ path: name, recorded }))
}

// --- internal ---

interface PresentSubmodule extends Submodule {
  /** The submodule that it is in; empty at the top. */
  parentPath: string
}

/** By repository and commit. An import forgets all of it. */
const knownSubmodules = new Map<string, PresentSubmodule[]>()

async function findPresentSubmodules(paths: SessionPaths, commit: string): Promise<PresentSubmodule[]> {
  const key = `${paths.bareRepository} ${commit}`
  const found = knownSubmodules.get(key) ?? (await listPresentBelow(paths, commit, { path: '', ignored: 'nothing' }, 0))
  knownSubmodules.set(key, found)
  return found
}

/** Parents come before what is in them. */
async function listPresentBelow(
  paths: SessionPaths,
  commit: string,
  parent: Pick<Submodule, 'path' | 'ignored'>,
  depth: number,
): Promise<PresentSubmodule[]> {
  const present: PresentSubmodule[] = []
  for (const submodule of await listSubmodules(paths.bareRepository, commit)) {
    if (depth > MAX_DEPTH || !(await hasCommit(paths, submodule.commit))) continue
    const ignored = strengths.find(each => [parent.ignored, submodule.ignored].includes(each)) ?? 'nothing'
    const own = { ...submodule, path: path.posix.join(parent.path, submodule.path), ignored }
    present.push({ ...own, parentPath: parent.path })
    present.push(...(await listPresentBelow(paths, submodule.commit, own, depth + 1)))
  }
  return present
}

const MAX_DEPTH = 8

/** What a submodule ignores counts for those inside of it too. */
const strengths: Submodule['ignored'][] = ['everything', 'new files']

/** Where the repository of a submodule is, from the top of the work tree. Its name is not used, because it may be a trap. */
function getModuleFolder(submodulePath: string): string {
  return path.join('.git/modules', encodeURIComponent(submodulePath))
}

/** Is this a folder below the work tree, and not behind a link? */
function isPlainFolder(folder: string, name: string): boolean {
  const target = path.join(folder, name)
  if (!fs.lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) return false
  return fs.realpathSync(target) === path.join(fs.realpathSync(folder), name)
}
