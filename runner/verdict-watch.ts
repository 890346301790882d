import { writeAtomic } from '#host/fs'
import { readCurrentVerdict, renderVerdict } from '#session/evidence'
import { describeVoidReason, listChangesSinceVerdict } from '#session/repository'
import type { RunnerContext } from './context.ts'

const CHECK_INTERVAL_MS = 2000

/** A verdict holds for the tree it judged: a change after it voids it, at the latest two seconds later. */
export class VerdictWatch {
  private checkedAtMs = 0

  async check(context: RunnerContext): Promise<void> {
    const { session, status } = context
    const { verdict } = status
    if (!verdict?.isFinal || verdict.voidReason || Date.now() - this.checkedAtMs < CHECK_INTERVAL_MS) return
    this.checkedAtMs = Date.now()
    const reason = describeVoidReason(await listChangesSinceVerdict(session.paths, status))
    if (reason === undefined) return
    context.record({ type: 'verdict.voided', reason })
    const record = readCurrentVerdict(session.paths, context.status)
    if (record) writeAtomic(session.paths.verdictText, renderVerdict(record, reason))
  }
}
