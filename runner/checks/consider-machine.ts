import os from 'node:os'
import { DispatchError, exitCodes } from '#host/error.ts'
import type { RunResult } from '#host/exec.ts'
import { toStorageError } from '#host/fs'
import { canExecuteIn, findWriteProblem } from '#host/temp-folder.ts'
import { toOneLine } from '#host/text.ts'
import type { CheckResult } from './classify-run.ts'

/**
 * A check is not red because of the disk under its folder: one that is full, read-only or does not execute programs. The words
 * that hint at this can come from an agent, so each is tried out. They change no result but a red one.
 */
export async function considerMachine(
  result: CheckResult,
  { stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>,
  folder: string,
): Promise<CheckResult> {
  if (result.outcome !== 'red') return result
  const output = `${stdout}\n${stderr}`
  const problem = writeFailure.test(output) ? findWriteProblem(folder) : undefined
  if (problem !== undefined) return { outcome: 'could not run', reason: `${problem} (${folder})` }
  if (executionFailure.test(output) && !(await canExecuteIn(folder)))
    return { outcome: 'could not run', reason: `this machine does not execute programs in ${folder}` }
  return result
}

/** Why there is no tree to run a check on: a link in the way, or a disk that is full or read-only; undefined for a bug. */
export function explainMissingTree(error: unknown): string | undefined {
  const known = toStorageError(os.tmpdir(), error)
  if (!(known instanceof Error)) return undefined
  const codes: number[] = [exitCodes.integrity, exitCodes.storage]
  const isKnown = known instanceof DispatchError && codes.includes(known.exitCode)
  return isKnown || writeFailure.test(known.message) ? toOneLine(known.message, MAX_REASON_CHARS) : undefined
}

// --- internal ---

const MAX_REASON_CHARS = 280

const writeFailure = /no space left|ENOSPC|quota exceeded|EDQUOT|read-only file system|EROFS|disk (is )?full/i
const executionFailure = /permission denied|EACCES|operation not permitted|EPERM|failed to map segment/i
