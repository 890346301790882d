import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { countInARow } from '#session/status'
import { callHuman, type RunnerContext } from '../context.ts'
import { resumeOrchestrator } from './resume.ts'

/** How long a claude that ended is left alone, by how often in a row it was started again. After the last, a person is called. */
const DELAYS_MS = [0, 10 * SECOND_MS, MINUTE_MS]

/** Starts the orchestrator's claude again when its process has ended. */
export class OrchestratorRecovery {
  private goneSince: { ms: number; reason: string } | undefined

  /** `reason`: what has become of its process; undefined while it may run. Called at every tick. */
  async check(context: RunnerContext, reason: string | undefined): Promise<void> {
    const nowMs = context.clock.read()
    if (reason === undefined) {
      this.goneSince = undefined
      return
    }
    // A claude that a person has ended says so in a hook, which the next tick reads.
    if (this.goneSince === undefined) {
      this.goneSince = { ms: nowMs, reason }
      return
    }
    const consecutiveResumes = countInARow(context.status.lastResume, Date.now())
    const delayMs = DELAYS_MS[consecutiveResumes - 1]
    if (delayMs === undefined) {
      const times = consecutiveResumes - 1
      callHuman(context, `the orchestrator is gone: its process ended again and again, after ${times} new starts`)
      return
    }
    if (nowMs - this.goneSince.ms < delayMs) return
    this.goneSince = undefined
    await resumeOrchestrator(context, { reason, consecutiveResumes })
  }
}
