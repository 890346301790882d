import fs from 'node:fs'
import { DispatchError, exitCodes } from '../error.ts'
import { type RunResult, runProgram } from '../exec.ts'

/**
 * Git as we run it: no configuration but a repository's own, no hooks, no monitor, no prompts, files only. It is run
 * inside repositories that we alone write, and to read in the user's; from any other we only ever fetch.
 */
const SAFE_OPTIONS = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.alternateRefsCommand=true', // It answers no refs.
  '-c',
  'core.symlinks=true',
  '-c',
  'submodule.recurse=false',
  '-c',
  'core.quotePath=false',
  '-c',
  'core.commitGraph=false', // It is believed, whatever the commits themselves say.
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
  '-c',
  'advice.detachedHead=false',
  '-c',
  'user.name=Claude Dispatch',
  '-c',
  'user.email=dispatch@localhost',
  '-c',
  'safe.directory=*',
  '-c',
  'init.defaultBranch=main',
]

/** Run git and answer what it did; a failure is the caller's to judge. */
export function tryGit(
  args: string[],
  options: {
    cwd?: string
    env?: Record<string, string>
    input?: string
    maxOutputBytes?: number
    timeoutMs?: number
  } = {},
): Promise<RunResult> {
  return runProgram('git', [...SAFE_OPTIONS, ...args], {
    timeoutMs: 15 * 60_000,
    ...options,
    env: { ...buildGitEnvironment(), ...options.env },
  })
}

const optionsWithValue = ['-c', '--git-dir', '--work-tree']

/** What git lists is taken whole: a list of files that is cut short would hide files from a verdict. */
const MAX_GIT_OUTPUT_BYTES = 256 * 1024 * 1024

/** Run git and answer its output without the last newline; a failure is an error that quotes git. */
export async function git(args: string[], options: Parameters<typeof tryGit>[1] = {}): Promise<string> {
  const ran = await tryGit(args, { maxOutputBytes: MAX_GIT_OUTPUT_BYTES, ...options })
  if (ran.startError) throw createMissingGitError()
  if (ran.exitCode !== 0)
    throw new DispatchError(
      `git ${findSubcommand(args)} failed: ${ran.timedOut ? 'it was not done in time' : ran.stderr.trim() || `exit ${ran.exitCode}`}`,
      { exitCode: exitCodes.internal },
    )
  return ran.stdout.replace(/\n$/, '')
}

/** The word that says what git was to do. */
function findSubcommand(args: string[]): string | undefined {
  return args.find((word, at) => !word.startsWith('-') && !optionsWithValue.includes(args[at - 1] ?? ''))
}

function createMissingGitError(): DispatchError {
  return new DispatchError('git is not installed, or not on PATH', {
    exitCode: exitCodes.dependency,
    remedy: 'Install it: `xcode-select --install` or `apt-get install git`.',
  })
}

function buildGitEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file', // A repository's own protocol.ext.allow would win over `-c protocol.allow`.
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1', // Else a reference that anybody can lay puts another file in the place of one.
    GIT_GRAFT_FILE: '/dev/null/none', // One that is there would be told of.
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TEMPLATE_DIR: '',
  }
}

/** A repository of the user's, as a session takes it up. */
export interface UserRepository {
  path: string
  /** The commit the work starts from. */
  commit: string
  /** Files that are changed or untracked, and so are left out. */
  uncommittedFiles: number
}

/**
 * The repository named, or the one this folder lies in; null when there is none, or when it is one of ours. It is only
 * read, with the user's own rights and none of its hooks.
 */
export async function findRepository(
  folder: string | undefined,
  excludedFolders: string[],
): Promise<UserRepository | null> {
  const cwd = folder ?? process.cwd()
  const found = await tryGit(['rev-parse', '--show-toplevel'], { cwd })
  if (found.startError && fs.existsSync(cwd)) throw createMissingGitError()
  if (found.exitCode !== 0) {
    if (folder === undefined && /not a git repository|must be run in a work tree/.test(found.stderr)) return null
    if (folder === undefined)
      throw new DispatchError(`git cannot read the repository here: ${found.stderr.trim()}`, {
        exitCode: exitCodes.usage,
        remedy: 'Mend it, or use --no-repo.',
      })
    throw new DispatchError(`${folder} is not a git repository with a work tree`, {
      exitCode: exitCodes.usage,
      remedy: 'Name its top folder, or use --no-repo.',
    })
  }
  const top = found.stdout.replace(/\n$/, '')
  if (folder === undefined && excludedFolders.some(own => top === own || top.startsWith(`${own}/`))) return null
  const head = await tryGit(['rev-parse', '--verify', 'HEAD^{commit}'], { cwd: top })
  if (head.exitCode !== 0)
    throw new DispatchError(`${top} has no commit yet`, {
      exitCode: exitCodes.usage,
      remedy: 'Commit something first, or use --no-repo.',
    })
  const commit = head.stdout.trim()
  if (commit.length > 40)
    throw new DispatchError(
      `${top} names its objects by SHA-256, and no session can begin from such a repository yet`,
      {
        exitCode: exitCodes.usage,
        remedy: 'Work on a clone of it in the usual format (SHA-1), or use --no-repo.',
      },
    )
  return { path: top, commit, uncommittedFiles: (await listUncommitted(top, await readUserIgnores())).length }
}

/**
 * What is not committed in a checkout, a line of git's each. Nothing is run that its configuration names: no filter, and
 * nothing in a submodule, which has a configuration of its own.
 */
export async function listUncommitted(checkout: string, config: string[] = []): Promise<string[]> {
  const words = ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty']
  const status = await git([...config, ...words], { cwd: checkout, env: await buildFilterlessEnvironment(checkout) })
  return status.split('\0').filter(Boolean)
}

/** A file of a commit, as git lists it. */
export interface TreeEntry {
  path: string
  /** `100644`, `100755`, `120000` for a link, `160000` for a nested repository. */
  mode: string
}

/** Every file of a commit of the user's repository. Only read, with none of its hooks. */
export async function listTreeEntries({
  path: cwd,
  commit,
}: Pick<UserRepository, 'path' | 'commit'>): Promise<TreeEntry[]> {
  const listed = await git(['ls-tree', '-r', '-z', commit], { cwd })
  return listed
    .split('\0')
    .filter(Boolean)
    .map(line => ({ path: line.slice(line.indexOf('\t') + 1), mode: line.slice(0, 6) }))
}

/** Those of the paths that a commit has: as a file, or as a folder with files in it. */
export async function filterExistingPaths(
  { path: cwd, commit }: Pick<UserRepository, 'path' | 'commit'>,
  names: string[],
) {
  if (names.length === 0) return []
  const listed = await git(['--literal-pathspecs', 'ls-tree', '-r', '--name-only', '-z', commit, '--', ...names], {
    cwd,
  })
  const files = listed.split('\0')
  return names.filter(name => files.some(file => file === name || file.startsWith(`${name.replace(/\/$/, '')}/`)))
}

/** Those of the paths that git tracks in the checkout: they come along with a commit, and are not given besides. */
export async function filterTrackedPaths(repository: string, names: string[]): Promise<string[]> {
  if (names.length === 0) return []
  const listed = await git(['--literal-pathspecs', 'ls-files', '-z', '--', ...names], { cwd: repository })
  return names.filter(name => listed.split('\0').includes(name))
}

/** The content of one file of a commit; of a link, where it leads. */
export function readBlob(
  { path: cwd, commit }: Pick<UserRepository, 'path' | 'commit'>,
  file: string,
): Promise<string> {
  return git(['cat-file', 'blob', `${commit}:${file}`], { cwd })
}

/** Files of the checkout that git ignores, from the top; folders that are ignored whole end in `/`. */
export async function listIgnoredFiles(repository: string): Promise<string[]> {
  const words = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z']
  return (await git(words, { cwd: repository })).split('\0').filter(Boolean)
}

/** The user's own list of files to ignore everywhere, the one thing of their configuration that we take: it is only read. */
async function readUserIgnores(): Promise<string[]> {
  const { GIT_CONFIG_GLOBAL: _, ...environment } = buildGitEnvironment()
  const words = ['config', '--global', '--type=path', '--get', 'core.excludesFile']
  const file = (await runProgram('git', words, { env: environment, timeoutMs: 10_000 })).stdout.trim()
  return file === '' ? [] : ['-c', `core.excludesFile=${file}`]
}

/** An environment for git in which each filter that the repository's configuration names does nothing. */
async function buildFilterlessEnvironment(repository: string): Promise<Record<string, string>> {
  const ran = await tryGit(['config', '--name-only', '-z', '--get-regexp', '^filter\\.'], { cwd: repository })
  const drivers = new Set(ran.stdout.split('\0').flatMap(key => key.slice(0, key.lastIndexOf('.')) || []))
  const pairs = [...drivers].flatMap(driver => [
    ...['clean', 'smudge', 'process'].map(name => [`${driver}.${name}`, '']),
    [`${driver}.required`, 'false'],
  ])
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(pairs.length)],
    ...pairs.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ])
}
