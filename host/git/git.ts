import { DispatchError, exitCodes } from '../error.ts'
import { type RunOptions, type RunResult, runProgram } from '../exec.ts'
import { decodeNames } from '../file-name.ts'
import { MINUTE_MS } from '../time.ts'

/**
 * git without the configuration of the user or the machine, and without hooks, monitors, prompts and network. It works
 * in repositories that only dispatch writes, and reads those of the user. From any other repository dispatch only
 * fetches.
 */
export const safeOptions = [
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

/** Run git with safe options and return its result; the caller decides about failures. */
export function tryGit(args: string[], options: RunOptions = {}): Promise<RunResult> {
  return runProgram('git', [...safeOptions, ...args], {
    timeoutMs: 15 * MINUTE_MS,
    ...options,
    env: { ...buildGitEnvironment(), ...options.env },
  })
}

/** Run git and return its output without the last newline. Exit 1 with git's message on failure, 10 where the disk is the reason. */
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
      exitCode: diskProblem.test(message) ? exitCodes.storage : exitCodes.internal,
    })
  }
  return result.stdout.replace(/\n$/, '')
}

/** Run git with `-z` and return what it lists. Names are as `decodeNames` makes them. */
export async function listWithGit(args: string[], options: RunOptions = {}): Promise<string[]> {
  return decodeNames(await git(args, { ...options, encoding: 'latin1' }))
    .split('\0')
    .filter(Boolean)
}

/** The options that lead git to a repository. The work tree that its configuration names may be gone, and then git would not run. */
export function buildFolderArguments(gitFolder: string): string[] {
  return ['--git-dir', gitFolder, '--work-tree', gitFolder]
}

/** A commit of the user's repository. */
export interface RepositoryCommit {
  path: string
  commit: string
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

/** Those of the paths that git tracks in the checkout. They come with a commit, so they need not be copied. */
export async function filterTrackedPaths(repository: string, paths: string[]): Promise<string[]> {
  if (paths.length === 0) return []
  const tracked = await listWithGit(['--literal-pathspecs', 'ls-files', '-z', '--', ...paths], { cwd: repository })
  return paths.filter(name => tracked.includes(name))
}

/** Does git say that the disk is full, read-only or broken? Pure. */
export function isDiskProblem(message: string): boolean {
  return diskProblem.test(message)
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

/** How the system words a disk that is full, read-only or broken. */
const diskProblem = /No space left on device|Disk quota exceeded|Read-only file system|Input\/output error/

const OPTIONS_WITH_VALUE = ['-c', '--git-dir', '--work-tree']

/** Large, because a list of files that is cut would hide files from a verdict. */
const MAX_GIT_OUTPUT_BYTES = 256 * 1024 * 1024

/** The error for a machine without git: exit 6. */
export function createMissingGitError(): DispatchError {
  return new DispatchError('git is not installed, or not on PATH', {
    exitCode: exitCodes.dependency,
    remedy: 'Install it: `xcode-select --install` or `apt-get install git`.',
  })
}

/**
 * Variables with which git writes objects into the folder `target` and reads those of the folder `source`. Git renames a pack when
 * it is complete, which only works within one file system: the two may be on different ones.
 */
export function redirectObjects(target: string, source: string): Record<string, string> {
  const quoted = `"${source.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` // A colon would begin another folder.
  return { GIT_OBJECT_DIRECTORY: target, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted }
}

/** The environment of every git: nothing of the user or the machine, no prompt, no network. */
export function buildGitEnvironment(): Record<string, string> {
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
    GIT_DEFAULT_HASH: 'sha1', // As the user's repository has it. Git 3.0 makes new ones in other formats.
    GIT_DEFAULT_REF_FORMAT: 'files', // Dispatch writes and reads refs as files.
  }
}
