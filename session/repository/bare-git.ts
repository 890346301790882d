import { git } from '#host/git'
import { type BareRepository, requireUnmodifiedRepository } from './integrity.ts'

/** The bare repository of a session, and the folder with the work. */
export interface SessionRepository extends BareRepository {
  outputs: string
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

/**
 * Override settings that would hide a change from git. On macOS git must probe the file system for the other two
 * itself.
 */
const strictOptions = [
  ...['-c', 'core.fileMode=true'],
  ...(process.platform === 'linux' ? ['-c', 'core.ignoreCase=false', '-c', 'core.precomposeUnicode=false'] : []),
]
