import fs from 'node:fs'
import { writeAtomic } from '#host/fs'
import { MINUTE_MS } from '#host/time.ts'
import { readCurrentVerdict, renderVerdict } from '#session/evidence'
import { describeVoidReason, listChangesSinceVerdict, listVisibleChanges } from '#session/repository'
import type { RunnerContext } from './context.ts'

const MIN_INTERVAL_MS = 2000
const MAX_INTERVAL_MS = MINUTE_MS
/** So a look at a large repository costs at most one hundredth of a processor. */
const REST_RATIO = 100

/**
 * A verdict holds for the tree it judged: a change after it voids it, until that is undone. The first look reads every file; the
 * later ones read only what the file system says has changed. What decides, such as `dispatch show` and `apply`, reads every file again.
 */
export class VerdictWatch {
  private nextLookAtMs = 0
  private watchedCommit: string | undefined

  async check(context: RunnerContext): Promise<void> {
    const { session, status } = context
    const { verdict, phase } = status
    // Once new work has begun, only `submit` says that the tree is the judged one.
    if (!verdict?.isFinal || (verdict.voidReason && phase !== verdict.verdict)) return
    if (performance.now() < this.nextLookAtMs) return
    if (this.watchedCommit !== verdict.commit) forgetIndex(session.paths.verdictIndex(verdict.commit))
    this.watchedCommit = verdict.commit
    const startedAtMs = performance.now()
    this.nextLookAtMs = startedAtMs + MIN_INTERVAL_MS // Also where git cannot look now.
    const reason = describeVoidReason(await listVisibleChanges(session.paths, status, true))
    this.nextLookAtMs = performance.now() + chooseIntervalMs(performance.now() - startedAtMs)
    if (reason === undefined) await restoreVerdict(context)
    if (reason === undefined || verdict.voidReason) return
    context.record({ type: 'verdict.voided', reason })
    const record = readCurrentVerdict(session.paths, context.status)
    if (record) writeAtomic(session.paths.verdictText, renderVerdict(record, reason))
  }
}

/** Let a void verdict hold again if no file of `outputs/` differs from the judged commit. Every file is read. Does it hold again? */
export async function restoreVerdict(context: RunnerContext): Promise<boolean> {
  const { paths } = context.session
  const { verdict } = context.status
  if (!verdict?.isFinal || !verdict.voidReason) return false
  if ((await listChangesSinceVerdict(paths, context.status)).length > 0) return false
  context.record({ type: 'verdict.restored', commit: verdict.commit })
  const record = readCurrentVerdict(paths, context.status)
  if (record) writeAtomic(paths.verdictText, renderVerdict(record))
  return true
}

/** How long to rest after a look of this length. Pure. */
export function chooseIntervalMs(lookMs: number): number {
  return Math.min(Math.max(REST_RATIO * lookMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS)
}

// --- internal ---

/** What an earlier runner saw is old, and a git that ended with it may have left its lock. */
function forgetIndex(index: string): void {
  for (const file of [index, `${index}.lock`]) fs.rmSync(file, { force: true })
}
