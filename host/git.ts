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

/** Run git and answer its output without the last newline; a failure is an error that quotes git. */
export async function git(args: string[], options: Parameters<typeof tryGit>[1] = {}): Promise<string> {
  const ran = await tryGit(args, options)
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
