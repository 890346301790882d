import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { type RunOptions, type RunResult, runProgram } from '../exec.ts'
import { MINUTE_MS, SECOND_MS } from '../time.ts'
import { findTrustCommand } from './trust.ts'

/** Run git with safe options and return its result; the caller decides about failures. */
export function tryGit(args: string[], options: RunOptions = {}): Promise<RunResult> {
  return runProgram('git', [...SAFE_OPTIONS, ...args], {
    timeoutMs: 15 * MINUTE_MS,
    ...options,
    env: { ...buildGitEnvironment(), ...options.env },
  })
}

/** Run git and return its output without the last newline. Exit 1 with git's message on failure. */
export async function git(args: string[], options: RunOptions = {}): Promise<string> {
  const result = await tryGit(args, { maxOutputBytes: MAX_GIT_OUTPUT_BYTES, ...options })
  if (result.startError) throw createMissingGitError()
  if (result.exitCode !== 0) {
    const message = result.timedOut ? 'it ran out of time' : result.stderr.trim() || `exit ${result.exitCode}`
    const isCommand = (arg: string, index: number) =>
      !arg.startsWith('-') && !OPTIONS_WITH_VALUE.includes(args[index - 1] ?? '')
    const gitFolder = args.find((_, index) => args[index - 1] === '--git-dir')
    const folder = gitFolder ?? options.cwd ?? process.cwd()
    throw new DispatchError(`git ${args.find(isCommand)} failed in ${folder}: ${message}`, {
      exitCode: exitCodes.internal,
    })
  }
  return result.stdout.replace(/\n$/, '')
}

/** Run git with `-z` and return what it lists. */
export async function listWithGit(args: string[], options: RunOptions = {}): Promise<string[]> {
  return (await git(args, options)).split('\0').filter(Boolean)
}

/** The repository of the user that a session starts from. */
export interface UserRepository {
  path: string
  /** The commit the work starts from. */
  commit: string
  /** The number of changed and untracked files. They are left out. */
  uncommittedFiles: number
}

/** A commit of the user's repository. */
export type RepositoryCommit = Pick<UserRepository, 'path' | 'commit'>

/**
 * The repository with this folder, or with the current one; null without one, or when it is inside an excluded
 * folder. It is only read, and none of its hooks run. Exit 2 when it cannot be used.
 */
export async function findRepository(
  folder: string | undefined,
  excludedFolders: string[],
): Promise<UserRepository | null> {
  const cwd = folder ?? process.cwd()
  const toplevel = await tryGit(['rev-parse', '--show-toplevel'], { cwd })
  if (toplevel.startError && fs.existsSync(cwd)) throw createMissingGitError()
  if (toplevel.exitCode !== 0) {
    if (folder === undefined && /not a git repository|must be run in a work tree/.test(toplevel.stderr)) return null
    if (folder === undefined)
      throw createUnusableError(`git cannot read the repository here: ${toplevel.stderr.trim()}`, 'Fix it')
    throw createUnusableError(`${folder} is not a git repository with a work tree`, 'Name its top folder')
  }
  const top = toplevel.stdout.replace(/\n$/, '')
  const trustCommand = await findTrustCommand(cwd)
  if (trustCommand !== undefined)
    throw createUnusableError(
      `git does not read ${top}, because it belongs to another user (uid ${findForeignOwner(top)})`,
      `If you trust it, run \`${trustCommand}\``,
    )
  const isExcluded = excludedFolders.some(excluded => top === excluded || top.startsWith(`${excluded}/`))
  if (folder === undefined && isExcluded) return null
  const head = await tryGit(['rev-parse', '--verify', 'HEAD^{commit}'], { cwd: top })
  if (head.exitCode !== 0) throw createUnusableError(`${top} has no commit yet`, 'Commit something first')
  const commit = head.stdout.trim()
  if (commit.length > SHA1_HEX_DIGITS)
    throw createUnusableError(
      `${top} names its objects by SHA-256, which dispatch does not support yet`,
      'Work on a clone of it in the usual format (SHA-1)',
    )
  return { path: top, commit, uncommittedFiles: (await listUncommitted(top, await readUserIgnores())).length }
}

/**
 * What is not committed in a checkout, one line of `git status --porcelain` each. No program of its configuration runs:
 * no filter, and nothing in a submodule, which has its own configuration.
 */
export async function listUncommitted(checkout: string, config: string[] = []): Promise<string[]> {
  const args = ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty']
  return listWithGit([...config, ...args], { cwd: checkout, env: await buildFilterlessEnvironment(checkout) })
}

/** A file of a commit. */
export interface TreeEntry {
  path: string
  /** `100644`, `100755`, `120000` for a link, `160000` for a submodule. */
  mode: string
}

/** Every file of a commit of the user's repository. */
export async function listTreeEntries({ path: cwd, commit }: RepositoryCommit): Promise<TreeEntry[]> {
  const lines = await listWithGit(['ls-tree', '-r', '-z', commit], { cwd })
  return lines.map(line => ({ path: line.slice(line.indexOf('\t') + 1), mode: line.slice(0, 6) }))
}

/** Those of the paths that exist in a commit, as a file or as a folder with files in it. */
export async function filterExistingPaths({ path: cwd, commit }: RepositoryCommit, paths: string[]) {
  if (paths.length === 0) return []
  const args = ['--literal-pathspecs', 'ls-tree', '-r', '--name-only', '-z', commit, '--', ...paths]
  const files = await listWithGit(args, { cwd })
  return paths.filter(name => files.some(file => file === name || file.startsWith(`${name.replace(/\/$/, '')}/`)))
}

/** Those of the paths that git tracks in the checkout. They come with a commit, so they need not be copied. */
export async function filterTrackedPaths(repository: string, paths: string[]): Promise<string[]> {
  if (paths.length === 0) return []
  const tracked = await listWithGit(['--literal-pathspecs', 'ls-files', '-z', '--', ...paths], { cwd: repository })
  return paths.filter(name => tracked.includes(name))
}

/** The content of a file of a commit; for a link, its target. */
export function readBlob({ path: cwd, commit }: RepositoryCommit, file: string): Promise<string> {
  return git(['cat-file', 'blob', `${commit}:${file}`], { cwd })
}

/** The ignored files of a checkout, as paths from its top. A folder that is ignored as a whole ends in `/`. */
export async function listIgnoredFiles(repository: string): Promise<string[]> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z']
  return listWithGit(args, { cwd: repository })
}

// --- internal ---

/**
 * git without the configuration of the user or the machine, and without hooks, monitors, prompts and network. It works
 * in repositories that only dispatch writes, and reads those of the user. From any other repository dispatch only
 * fetches.
 */
const SAFE_OPTIONS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.alternateRefsCommand=true', // The program `true` prints no refs.
  'core.symlinks=true',
  'submodule.recurse=false',
  'core.quotePath=false',
  'core.commitGraph=false', // git would trust it, even where it contradicts the commits.
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'user.name=Claude Dispatch',
  'user.email=dispatch@localhost',
  'safe.directory=*',
  'init.defaultBranch=main',
].flatMap(setting => ['-c', setting])

const OPTIONS_WITH_VALUE = ['-c', '--git-dir', '--work-tree']

/** Large, because a list of files that is cut would hide files from a verdict. */
const MAX_GIT_OUTPUT_BYTES = 256 * 1024 * 1024

const SHA1_HEX_DIGITS = 40

/** The owner of the work tree, or of its `.git` if only that is another user's. */
function findForeignOwner(top: string): number | undefined {
  const owners = [top, path.join(top, '.git')].map(file => fs.statSync(file, { throwIfNoEntry: false })?.uid)
  return owners.find(uid => uid !== process.geteuid?.()) ?? owners[0]
}

function createMissingGitError(): DispatchError {
  return new DispatchError('git is not installed, or not on PATH', {
    exitCode: exitCodes.dependency,
    remedy: 'Install it: `xcode-select --install` or `apt-get install git`.',
  })
}

function createUnusableError(message: string, remedy: string): DispatchError {
  return new DispatchError(message, { exitCode: exitCodes.usage, remedy: `${remedy}, or use --no-repo.` })
}

function buildGitEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file', // The protocol.ext.allow of a repository would win over `-c protocol.allow`.
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1', // A replace ref would put another object in the place of one.
    GIT_GRAFT_FILE: '/dev/null/none', // git warns about a graft file that exists.
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TEMPLATE_DIR: '',
  }
}

/** The global ignore file of the user, the only part of their configuration that is used. It is only read. */
async function readUserIgnores(): Promise<string[]> {
  const { GIT_CONFIG_GLOBAL: _, ...env } = buildGitEnvironment()
  const args = ['config', '--global', '--type=path', '--get', 'core.excludesFile']
  const file = (await runProgram('git', args, { env, timeoutMs: 10 * SECOND_MS })).stdout.trim()
  return file === '' ? [] : ['-c', `core.excludesFile=${file}`]
}

/** An environment for git in which every filter of the repository's configuration does nothing. */
async function buildFilterlessEnvironment(repository: string): Promise<Record<string, string>> {
  const result = await tryGit(['config', '--name-only', '-z', '--get-regexp', '^filter\\.'], { cwd: repository })
  const drivers = new Set(result.stdout.split('\0').flatMap(key => key.slice(0, key.lastIndexOf('.')) || []))
  const settings = [...drivers].flatMap(driver => [
    ...['clean', 'smudge', 'process'].map(name => [`${driver}.${name}`, '']),
    [`${driver}.required`, 'false'],
  ])
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ])
}
