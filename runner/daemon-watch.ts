import { SECOND_MS } from '#host/time.ts'
import { isDaemonLost, startDaemon } from '#watchdog'
import type { RunnerContext } from './context.ts'

const LOOK_INTERVAL_MS = 5 * SECOND_MS

/** Starts the daemon again when it died: it looks after the runners, and each of them looks after it. */
export class DaemonWatch {
  private nextLookMs = 0

  check(context: Pick<RunnerContext, 'clock' | 'config' | 'recordFailure'>): void {
    const nowMs = context.clock.read()
    if (nowMs < this.nextLookMs) return
    this.nextLookMs = nowMs + LOOK_INTERVAL_MS
    startIfLost(context.config).catch(error => context.recordFailure(error))
  }
}

async function startIfLost(config: RunnerContext['config']): Promise<void> {
  if (await isDaemonLost(config.home)) await startDaemon(config)
}
