import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { isDaemonLost, startDaemon } from '#watchdog'
import type { RunnerContext } from './context.ts'

const LOOK_INTERVAL_MS = 5 * SECOND_MS
/** After tries that brought no daemon, as with settings that it refuses. */
const MAX_INTERVAL_MS = 5 * MINUTE_MS

/** Starts the daemon again when it died: it looks after the runners, and each of them looks after it. */
export class DaemonWatch {
  private nextLookMs = 0
  private intervalMs = LOOK_INTERVAL_MS

  check(context: Pick<RunnerContext, 'clock' | 'config' | 'recordFailure'>): void {
    const nowMs = context.clock.read()
    if (nowMs < this.nextLookMs) return
    this.nextLookMs = nowMs + this.intervalMs
    this.startIfLost(context.config).catch(error => context.recordFailure(error))
  }

  private async startIfLost(config: RunnerContext['config']): Promise<void> {
    const isLost = await isDaemonLost(config.home)
    this.intervalMs = isLost ? Math.min(2 * this.intervalMs, MAX_INTERVAL_MS) : LOOK_INTERVAL_MS
    if (isLost) await startDaemon(config)
  }
}
