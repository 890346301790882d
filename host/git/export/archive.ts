import type { RunResult } from '../../exec.ts'
import { MINUTE_MS } from '../../time.ts'
import { runUserGit } from '../user/user-commit.ts'

/** Write the files of a commit as a tar archive with one top folder. No branch and no tag changes, and no hook runs. */
export function archiveCommit(cwd: string, commit: string, file: string, end?: AbortSignal): Promise<RunResult> {
  const args = ['archive', '--format=tar', '--prefix=claude-dispatch/', `--output=${file}`, commit]
  return runUserGit(args, { cwd, timeoutMs: ARCHIVE_TIMEOUT_MS, ...(end ? { end } : {}) })
}

// --- internal ---

const ARCHIVE_TIMEOUT_MS = 10 * MINUTE_MS
