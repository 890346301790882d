import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { decodeNames } from '#host/file-name.ts'
import { git, tryGit } from '#host/git'
import { quoteForShell } from '#host/shell-quote.ts'
import { sanitize } from '#host/text.ts'

/** The bare repository of a session, and the folder with the work. */
export interface SessionRepository {
  bareRepository: string
  outputs: string
  /** May it read the objects of another one? Only set for a repository that this process made itself. */
  usesAlternates?: true
  /** Time limit in milliseconds for one git command, for a folder that may have been built to stall it. */
  timeoutMs?: number
}

/** Run git in the bare repository, if it is unmodified. */
export function runBareGit(
  repository: SessionRepository,
  args: string[],
  options: Parameters<typeof git>[1] = {},
): Promise<string> {
  const { bareRepository, timeoutMs } = repository
  requireUnmodifiedRepository(repository)
  const allArgs = ['--git-dir', bareRepository, ...strictOptions, ...args]
  return git(allArgs, { ...options, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
}

/** Run git as above, and split its `-z` output into fields. Names are as `decodeNames` makes them. */
export async function listBareGit(...[repository, args, options]: Parameters<typeof runBareGit>): Promise<string[]> {
  const output = await runBareGit(repository, args, { ...options, encoding: 'latin1' })
  return decodeNames(output)
    .split('\0')
    .filter(field => field !== '')
}

/** Re-hash every object of these trees, whose names git trusts when it checks files out. Exit 13 if one differs. */
export async function verifyObjects(repository: SessionRepository, ...trees: string[]): Promise<void> {
  requireUnmodifiedRepository(repository)
  const args = ['--git-dir', repository.bareRepository, 'rev-list', '--verify-objects', '--quiet', ...trees]
  const { exitCode, stderr } = await tryGit(args)
  if (exitCode === 0) return
  throw new DispatchError(
    `an object in ${repository.bareRepository} does not match its hash: ${sanitize(stderr.trim())}`,
    {
      exitCode: exitCodes.integrity,
      remedy: explainAudit(repository),
    },
  )
}

/**
 * Does the repository still have this commit with all of its objects? Throws where git could not look: where it did not start, or the
 * machine had no memory or no file left. That says nothing about the commit.
 */
export async function hasCommit(repository: SessionRepository, commit: string): Promise<boolean> {
  if (findForeignConfig(repository) !== undefined) return false
  const { bareRepository } = repository
  const args = ['--git-dir', bareRepository, 'rev-list', '--objects', '--quiet', `${commit}^{tree}`]
  const { exitCode, startError, timedOut, signal, stderr } = await tryGit(args)
  if (exitCode === 0) return true
  if (exitCode === GIT_FATAL_EXIT_CODE && !machineProblem.test(stderr)) return false
  const ended = timedOut ? 'it ran out of time' : (signal ?? `exit ${exitCode}`)
  const reason = startError ?? (sanitize(stderr.trim()) || ended)
  throw new DispatchError(`git could not look for a commit in ${bareRepository}: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: 'The work is as it was. Try it again when git runs: git --version',
  })
}

/**
 * Throws exit 13 if the repository has any configuration that git did not write when it was made. Git runs the filters
 * that a configuration names, and a session may be a copy from anywhere.
 */
export function requireUnmodifiedRepository(repository: SessionRepository): void {
  const foreign = findForeignConfig(repository)
  if (foreign === undefined) return
  throw new DispatchError(`${repository.bareRepository} is not set up as dispatch made it: ${sanitize(foreign)}`, {
    exitCode: exitCodes.integrity,
    remedy: `It was changed, so git does not run there. ${explainAudit(repository)}`,
  })
}

/** How to see what else is wrong with the session of a repository. Without its folder, the command would look at the newest one. Pure. */
export function explainAudit({ bareRepository }: SessionRepository): string {
  return `To see what else is wrong: dispatch audit ${quoteForShell(path.resolve(bareRepository, '../..'))}`
}

/** Find a file or a line of configuration that `git init --bare` does not write on any system. */
export function findForeignConfig({ bareRepository, usesAlternates }: SessionRepository): string | undefined {
  if (!lstat(bareRepository)?.isDirectory()) return 'it is not a folder'
  const forbidden = usesAlternates ? redirectingFiles.filter(name => name !== ALTERNATES_FILE) : redirectingFiles
  const redirecting = forbidden.find(name => lstat(path.join(bareRepository, name)) !== undefined)
  if (redirecting !== undefined) return redirecting
  const configFile = path.join(bareRepository, 'config')
  const stats = lstat(configFile)
  if (!stats?.isFile() || stats.size > MAX_CONFIG_BYTES) return 'its config is gone, or dispatch did not write it'
  const lines = fs
    .readFileSync(configFile, 'utf8')
    .split('\n')
    .map(line => line.trim())
  return lines.find(line => line !== '' && !sectionPattern.test(line) && !settingPattern.test(line))
}

// --- internal ---

const MAX_CONFIG_BYTES = 4096

/** Of a git that looked, and did not find an object or could not read it. */
const GIT_FATAL_EXIT_CODE = 128
/** How git and the system word that the machine, and not the repository, is the reason. */
const machineProblem =
  /out of memory|cannot allocate memory|too many open files|resource temporarily unavailable|unable to create thread|no space left|quota exceeded|input\/output error/i
const ALTERNATES_FILE = 'objects/info/alternates'

/** Files by which git takes configuration, objects or attributes from elsewhere. Dispatch makes none of them. */
const redirectingFiles = ['commondir', 'config.worktree', 'info/attributes', 'info/grafts', ALTERNATES_FILE]

/** `[core]` */
const sectionPattern = /^\[(core|extensions)\]$/
/** `filemode = true` */
const settingPattern =
  /^(repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks|objectformat|refstorage) = \w+$/

function lstat(file: string): fs.Stats | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false })
}

/** Override settings that would hide a change. On macOS git must probe the file system for the other two itself. */
const strictOptions = [
  ...['-c', 'core.fileMode=true'],
  ...(process.platform === 'linux' ? ['-c', 'core.ignoreCase=false', '-c', 'core.precomposeUnicode=false'] : []),
]
