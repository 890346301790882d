import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { countInARow, type SessionStatus } from '#session/status'
import { callHuman, type RunnerContext } from '../context.ts'
import { resumeOrchestrator } from './resume.ts'

/** How long a claude that ended is left alone, by how often in a row it was started again. After the last, a person is called. */
const DELAYS_MS = [0, 10 * SECOND_MS, MINUTE_MS]
/** So often, at whatever intervals, when nothing was sealed, started or judged in between. */
const MAX_FRUITLESS_RESTARTS = 6

/** Starts the orchestrator's claude again when its process has ended. */
export class OrchestratorRecovery {
  private goneSince: { ms: number; reason: string } | undefined

  /**
   * `reason`: what has become of its process; undefined while it may run. Called at every tick. Returns whether it was started
   * again.
   */
  async check(context: RunnerContext, reason: string | undefined): Promise<boolean> {
    const nowMs = context.clock.read()
    if (reason === undefined) {
      this.goneSince = undefined
      return false
    }
    // A claude that a person has ended says so in a hook, which the next tick reads.
    if (this.goneSince === undefined) {
      this.goneSince = { ms: nowMs, reason }
      return false
    }
    const { lastResume, resumesWithoutProgress } = context.status
    const consecutiveResumes = countInARow(lastResume, Date.now())
    const delayMs = DELAYS_MS[consecutiveResumes - 1]
    if (delayMs === undefined || this.hasGivenUp(context.status)) {
      const times = Math.max(consecutiveResumes - 1, resumesWithoutProgress)
      callHuman(context, `the orchestrator is gone: its process ended again and again, after ${times} new starts`)
      return false
    }
    if (nowMs - this.goneSince.ms < delayMs) return false
    this.goneSince = undefined
    await resumeOrchestrator(context, { reason, consecutiveResumes })
    return true
  }

  /** Was it started as often as it may be? */
  hasGivenUp({ lastResume, resumesWithoutProgress }: SessionStatus): boolean {
    return (
      DELAYS_MS[countInARow(lastResume, Date.now()) - 1] === undefined ||
      resumesWithoutProgress >= MAX_FRUITLESS_RESTARTS
    )
  }
}
