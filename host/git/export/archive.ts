import type { RunResult } from '../../exec.ts'
import { MINUTE_MS } from '../../time.ts'
import { runUserGit } from '../user/user-commit.ts'

/** Write the files of a commit as a tar archive with one top folder. No branch and no tag changes, and no hook runs. */
export function archiveCommit(cwd: string, commit: string, file: string, end?: AbortSignal): Promise<RunResult> {
  const args = ['archive', '--format=tar', '--prefix=claude-dispatch/', `--output=${file}`, commit]
  const options = { cwd, timeoutMs: ARCHIVE_TIMEOUT_MS, ...(end ? { end } : {}) }
  return runUserGit(args, options, { GIT_LFS_SKIP_SMUDGE: '1' }) // Large files stay pointers: fetching them could take long.
}

// --- internal ---

const ARCHIVE_TIMEOUT_MS = 10 * MINUTE_MS
