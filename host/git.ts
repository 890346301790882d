import { DispatchError, exits } from './error.ts'
import { type Ran, run } from './run.ts'

/**
 * Git as we run it: no configuration but a repository's own, no hooks, no monitor, no prompts, files only. It is run
 * inside repositories that we alone write; from any other we only ever fetch (reliability.md M10, T16).
 */
const guarded = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.symlinks=true',
  '-c',
  'protocol.allow=never',
  '-c',
  'protocol.file.allow=always',
  '-c',
  'submodule.recurse=false',
  '-c',
  'core.quotePath=false',
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
  options: { cwd?: string; env?: Record<string, string>; input?: string; keep?: number } = {},
): Promise<Ran> {
  return run('git', [...guarded, ...args], {
    ...options,
    env: { ...gitEnvironment(), ...options.env },
    deadline: 15 * 60_000,
  })
}

/** What git lists is taken whole: a list of files that is cut short would hide files from a verdict. */
const wholeOutput = 256 * 1024 * 1024

/** Run git and answer its output without the last newline; a failure is an error that quotes git. */
export async function git(args: string[], options: Parameters<typeof tryGit>[1] = {}): Promise<string> {
  const ran = await tryGit(args, { keep: wholeOutput, ...options })
  if (ran.unstartable)
    throw new DispatchError('git is not installed, or not on PATH', {
      exit: exits.dependency,
      remedy: 'Install it: `xcode-select --install` or `apt-get install git`.',
    })
  if (ran.code !== 0)
    throw new DispatchError(
      `git ${args.find(word => !word.startsWith('-'))} failed: ${ran.stderr.trim() || `exit ${ran.code}`}`,
      { exit: exits.internal },
    )
  return ran.stdout.replace(/\n$/, '')
}

/** `git version 2.39.5`, or undefined when it does not run. */
export async function gitVersion(): Promise<string | undefined> {
  const ran = await tryGit(['--version'])
  return ran.code === 0 ? ran.stdout.trim() : undefined
}

function gitEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TEMPLATE_DIR: '',
  }
}

/** A repository of the user's, as a session takes it up. */
export interface Repository {
  path: string
  /** The commit the work starts from. */
  commit: string
  /** Files that are changed or untracked, and so are left out. */
  uncommitted: number
}

/**
 * The repository named, or the one this folder lies in; null when there is none, or when it is one of ours. It is only
 * read, with the user's own rights and none of its hooks.
 */
export async function findRepository(named: string | undefined, ours: string[]): Promise<Repository | null> {
  const cwd = named ?? process.cwd()
  const found = await tryGit(['rev-parse', '--show-toplevel'], { cwd })
  if (found.code !== 0) {
    if (named === undefined) return null
    throw new DispatchError(`${named} is not a git repository with a work tree`, {
      exit: exits.usage,
      remedy: 'Name its top folder, or use --no-repo.',
    })
  }
  const top = found.stdout.replace(/\n$/, '')
  if (named === undefined && ours.some(own => top === own || top.startsWith(`${own}/`))) return null
  const head = await tryGit(['rev-parse', '--verify', 'HEAD^{commit}'], { cwd: top })
  if (head.code !== 0)
    throw new DispatchError(`${top} has no commit yet`, {
      exit: exits.usage,
      remedy: 'Commit something first, or use --no-repo.',
    })
  const status = await git(['status', '--porcelain', '-z', '--untracked-files=normal', '--no-renames'], { cwd: top })
  return { path: top, commit: head.stdout.trim(), uncommitted: status.split('\0').filter(Boolean).length }
}
