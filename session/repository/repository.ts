import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { formatTrust, git, isPartialClone, resolveCommit, tryGit } from '#host/git'
import { lfsConfig } from '#host/lfs'
import type { SessionPaths } from '../paths.ts'
import { requireUnmodifiedRepository, runBareGit } from './bare-git.ts'
import { hasLfsFiles, rememberLfsFolder, writeLfsFiles } from './lfs.ts'
import { getPackStore, keepPacks, linkObjects, listKnownCommits, takePacks } from './pack-store.ts'
import { importSubmodules, writeSubmodules } from './submodules.ts'
import { settleUnnormalized } from './unnormalized.ts'

/** A commit and its tree, by their full hashes. */
export interface Commit {
  commit: string
  tree: string
}

export const BASE_REF = 'refs/heads/base'
/** The user's branch is below it, at the base. */
export const BASE_BRANCH_PREFIX = 'refs/base/'

/** Build products, ignored from the start unless the user's repository tracks them. */
export const defaultIgnores = ['__pycache__/', '*.pyc', '.pytest_cache/', 'node_modules/', '.DS_Store', '.venv/', '']

/**
 * Make the bare repository with this commit of the user (or an empty one), and `outputs/` as a clone of it on its own branch.
 * Nothing is shared with the user's repository: git's hard links were measured to carry a damaged object back. With a folder
 * for `stores`, what an earlier session has fetched from the repository is linked and not copied again. `baseBranch` is the
 * user's branch: their HEAD may be at another one by now.
 */
export async function prepareRepository(
  paths: SessionPaths,
  branch: string,
  userRepository: string | undefined,
  commit = 'HEAD',
  { stores, baseBranch }: { stores?: string; baseBranch?: string | undefined } = {},
): Promise<Commit> {
  if (userRepository === undefined) return makeRepository(paths, branch, refs => createEmptyBase(paths, refs))
  const make = (store?: string) =>
    makeRepository(paths, branch, refs => fetchBase(paths, refs, userRepository, { commit, store, baseBranch }))
  const store = stores === undefined ? undefined : await findPackStore(stores, userRepository)
  if (store === undefined) return make()
  try {
    return await make(store)
  } catch {
    const base = await make() // The store may be damaged. If this fails as well, it is not the store.
    fs.rmSync(store, { recursive: true, force: true })
    return base
  }
}

/** Make git ignore these paths in `outputs/`: they are input to the work, and not part of it. */
export function addIgnoredPaths({ bareRepository, outputs }: SessionPaths, paths: string[]): void {
  for (const file of [path.join(bareRepository, EXCLUDE_FILE), path.join(outputs, '.git', EXCLUDE_FILE)]) {
    const text = fs.readFileSync(file, 'utf8')
    const missingLines = formatIgnores(paths).filter(line => !text.split('\n').includes(line))
    if (missingLines.length > 0) fs.writeFileSync(file, `${text.replace(/\n?$/, '\n')}${missingLines.join('\n')}\n`)
  }
}

/** Paths from the top as lines for git's file of ignored ones. Pure. */
export function formatIgnores(paths: string[]): string[] {
  return paths.map(ignoredPath => `/${ignoredPath.replace(/[\\*?[\]! #]/g, '\\$&')}`)
}

/**
 * Fetch the commit that `outputs/` is at into the bare repository, because no git command may run with the
 * configuration in `outputs/`. Objects that git finds malformed are refused here, as the user's repository would refuse
 * them later (exit 13).
 */
export async function importWork(paths: SessionPaths): Promise<Commit> {
  requireUnmodifiedRepository(paths)
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', paths.outputs, `+HEAD:${WORK_REF}`]
  const result = await tryGit(['-c', 'fetch.fsckObjects=true', '--git-dir', paths.bareRepository, ...fetch])
  if (result.exitCode !== 0)
    throw new DispatchError(`the work in ${paths.outputs} cannot be read: ${result.stderr.trim()}`, {
      exitCode: exitCodes.integrity,
      remedy: 'Look at it with git. The usual cause is a damaged .git there.',
    })
  return resolveCommitAndTree(paths, WORK_REF)
}

/** Those of the hashes that neither the work that was imported last nor the base contains, as a commit or a tag. */
export async function omitWorkHistory({ bareRepository }: SessionPaths, hashes: string[]): Promise<string[]> {
  const run = (...args: string[]) => tryGit(['--git-dir', bareRepository, ...args])
  // A project may have thousands of tags, which all came with the base.
  const known = new Set(
    (await run('for-each-ref', '--format=%(objectname)', WORK_REF, BASE_REF, 'refs/tags')).stdout.split('\n'),
  )
  const others: string[] = []
  for (const hash of hashes.filter(hash => !known.has(hash))) {
    const results = await Promise.all([WORK_REF, BASE_REF].map(ref => run('merge-base', '--is-ancestor', hash, ref)))
    if (!results.some(({ exitCode }) => exitCode === 0)) others.push(hash)
  }
  return others
}

/** The branch of the user that the session started from; undefined for a commit without one. */
export async function findBaseBranch(paths: SessionPaths): Promise<string | undefined> {
  const format = '--format=%(refname:lstrip=2)'
  return (await runBareGit(paths, ['for-each-ref', format, BASE_BRANCH_PREFIX])) || undefined
}

/** Keep a commit under its own branch, so that it stays when the worker's branch moves. */
export async function createReference(paths: SessionPaths, name: string, commit: string): Promise<void> {
  await runBareGit(paths, ['update-ref', `refs/heads/${name}`, commit])
}

// --- internal ---

const WORK_REF = 'refs/heads/work'
const EXCLUDE_FILE = 'info/exclude'

async function makeRepository(
  paths: SessionPaths,
  branch: string,
  createBase: (refs: string[]) => Promise<void>,
): Promise<Commit> {
  const { bareRepository, outputs, baseObjects } = paths
  for (const folder of [bareRepository, outputs, baseObjects]) fs.rmSync(folder, { recursive: true, force: true })
  await git(['init', '--quiet', '--bare', bareRepository])
  writeDefaultIgnores(bareRepository)
  await createBase([BASE_REF, `refs/heads/${branch}`])
  linkObjects(path.join(bareRepository, 'objects'), baseObjects)
  // The orchestrator may already look. It sees all files or none.
  const draft = { ...paths, outputs: `${outputs}.new` }
  fs.rmSync(draft.outputs, { recursive: true, force: true })
  await cloneToOutputs(draft, branch)
  fs.renameSync(draft.outputs, outputs)
  return resolveCommitAndTree(paths, BASE_REF)
}

async function createEmptyBase(paths: SessionPaths, refs: string[]): Promise<void> {
  const emptyTree = await runBareGit(paths, ['mktree'], { input: '' })
  const root = await runBareGit(paths, ['commit-tree', emptyTree, '-m', 'dispatch: an empty base'])
  const input = refs.map(ref => `create ${ref} ${root}\n`).join('')
  await runBareGit(paths, ['update-ref', '--stdin'], { input })
}

/**
 * Fetch the user's commit. Git gives the program that reads the other repository none of its settings but this file, which
 * holds what findRepository has verified: that the user trusts the repository, also if another user owns it.
 */
async function fetchBase(
  paths: SessionPaths,
  refs: string[],
  userRepository: string,
  { commit, store, baseBranch }: { commit: string; store: string | undefined; baseBranch: string | undefined },
): Promise<void> {
  // Of a partial clone only the files of the commit are known to be there.
  const depth = (await isPartialClone(userRepository)) ? ['--depth=1'] : []
  const options = ['--quiet', '--no-write-fetch-head', '--update-shallow', ...depth] // Tags of this history come too.
  const trustFile = `${paths.bareRepository}.trust`
  writeAtomic(trustFile, formatTrust(await listRepositoryFolders(userRepository)))
  const env = { GIT_CONFIG_GLOBAL: trustFile }
  const known = store && takePacks(store, paths.bareRepository, await listUsefulCommits(store, userRepository, commit))
  if (known) await runBareGit(paths, ['update-ref', KNOWN_REF, known])
  try {
    await runBareGit(paths, [...asPack, 'fetch', ...options, userRepository, ...refs.map(ref => `+${commit}:${ref}`)], {
      env,
    })
  } catch (error) {
    if ((await resolveCommit(userRepository, commit)) !== undefined) throw error
    throw new DispatchError(
      `${userRepository} does not have ${commit.slice(0, 10)} any more: it was removed meanwhile`,
      {
        exitCode: exitCodes.conflict,
        remedy: 'Start again.',
      },
    )
  } finally {
    fs.rmSync(trustFile, { force: true })
  }
  if (known) await forgetKnown(paths)
  if (store) keepPacks(store, paths.bareRepository, await runBareGit(paths, ['rev-parse', BASE_REF]))
  if (baseBranch !== undefined) await runBareGit(paths, ['update-ref', `${BASE_BRANCH_PREFIX}${baseBranch}`, BASE_REF])
  await importSubmodules(paths, userRepository, BASE_REF)
  await rememberLfsFolder(paths, userRepository)
}

/** The commit that git need not fetch again, with its history. */
const KNOWN_REF = 'refs/known'
const asPack = ['-c', 'fetch.unpackLimit=1']

/** Commits of the store, in the order in which they help: this one, others of its history, and then any. */
async function listUsefulCommits(store: string, userRepository: string, commit: string): Promise<string[]> {
  const known = listKnownCommits(store)
  if (known.includes(commit)) return [commit, ...known]
  const isAncestor = (each: string) => tryGit(['merge-base', '--is-ancestor', each, commit], { cwd: userRepository })
  const results = await Promise.all(known.map(isAncestor))
  return [...known.filter((_, index) => results[index]?.exitCode === 0), ...known]
}

/** Git fetches the tags of all commits that it has. Remove those that are not in the history of the base. */
async function forgetKnown(paths: SessionPaths): Promise<void> {
  const foreign = await runBareGit(paths, [
    'for-each-ref',
    '--format=%(refname)',
    `--no-merged=${BASE_REF}`,
    'refs/tags',
  ])
  const names = [KNOWN_REF, ...foreign.split('\n').filter(Boolean)]
  await runBareGit(paths, ['update-ref', '--stdin'], { input: names.map(name => `delete ${name}\n`).join('') })
}

/** The store of the user's repository; undefined for one without a complete history, of which a session has its own copy. */
async function findPackStore(stores: string, userRepository: string): Promise<string | undefined> {
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir', '--is-shallow-repository']
  const [gitFolder = '', isShallow] = (await git(args, { cwd: userRepository })).split('\n')
  if (isShallow === 'true' || (await isPartialClone(userRepository))) return undefined
  return getPackStore(stores, gitFolder)
}

/** The folders of a repository that git wants to be trusted: the work tree, its git folder, and that of its main repository. */
async function listRepositoryFolders(repository: string): Promise<string[]> {
  const args = ['rev-parse', '--path-format=absolute', '--git-dir', '--git-common-dir']
  const folders = (await git(args, { cwd: repository })).split('\n')
  return [...new Set([repository, path.join(repository, '.git'), ...folders])]
}

async function cloneToOutputs(paths: SessionPaths, branch: string): Promise<void> {
  const { bareRepository, outputs, baseObjects } = paths
  const options = ['--quiet', '--shared', '--single-branch', '--branch', branch]
  await git(['clone', ...options, bareRepository, outputs])
  const alternates = path.join(outputs, '.git/objects/info/alternates')
  // Git takes no objects from a shallow repository, but copies them.
  if (fs.existsSync(alternates)) {
    fs.writeFileSync(alternates, `${path.relative(path.join(outputs, '.git/objects'), baseObjects)}\n`)
    if (await hasLfsFiles(paths, await runBareGit(paths, ['rev-parse', BASE_REF]))) nameBaseForLfs(paths, alternates)
  }
  await git(['remote', 'remove', 'origin'], { cwd: outputs }) // A worker must not push to the bare repository.
  const baseBranch = (await findBaseBranch(paths)) ?? ''
  // Git refuses a branch `dispatch`, because there is one below that name.
  if (baseBranch !== '') await tryGit(['update-ref', `refs/heads/${baseBranch}`, 'HEAD'], { cwd: outputs })
  fs.appendFileSync(
    path.join(outputs, '.git/config'),
    `[user]\n\tname = Claude Dispatch worker\n\temail = worker@localhost\n[gc]\n\tauto = 0\n${lfsConfig}`,
  )
  writeDefaultIgnores(path.join(outputs, '.git'))
  const base = await runBareGit(paths, ['rev-parse', BASE_REF])
  await settleUnnormalized(paths, outputs)
  await writeLfsFiles(paths, base, outputs)
  await writeSubmodules(paths, base, outputs)
}

/**
 * `git lfs` reads objects itself, and takes a relative path there from the current folder. This one is the base for both: for
 * git by a link, for `git lfs` at the top of the work. An absolute path would make git complain in a session that was moved.
 */
function nameBaseForLfs({ outputs, baseObjects }: SessionPaths, alternates: string): void {
  const name = path.relative(outputs, baseObjects)
  const link = path.join(outputs, '.git/objects', name)
  fs.symlinkSync(path.relative(path.dirname(link), baseObjects), link)
  fs.appendFileSync(alternates, `${name}\n`)
}

function writeDefaultIgnores(gitFolder: string): void {
  makePrivateFolder(path.join(gitFolder, 'info'))
  fs.writeFileSync(path.join(gitFolder, EXCLUDE_FILE), defaultIgnores.join('\n'))
}

async function resolveCommitAndTree(paths: SessionPaths, ref: string): Promise<Commit> {
  const hashes = await runBareGit(paths, ['rev-parse', `${ref}^{commit}`, `${ref}^{tree}`])
  const [commit = '', tree = ''] = hashes.split('\n')
  return { commit, tree }
}
