import { SECOND_MS } from '#host/time.ts'
import { isAtWork, type SessionStatus } from '#session/status'
import type { RunnerContext } from './context.ts'

/** Asks a person whether to go on when a session has worked for SESSION_TIMEOUT_SEC. Nothing is ended. */
export class TimeLimit {
  private lookedAtMs = 0
  /** The work on the clock of awake time: what the log had when this runner began, and what it saw itself. */
  private ownMs: number | undefined
  private loggedMs = 0

  check(context: RunnerContext): void {
    const { status, config, clock } = context
    const elapsedMs = clock.read() - this.lookedAtMs
    this.lookedAtMs += elapsedMs
    // The log counts from zero again after a person has spoken.
    if (this.ownMs === undefined || status.workedMs < this.loggedMs) this.ownMs = status.workedMs
    else if (isAtWork(status)) this.ownMs += elapsedMs
    this.loggedMs = status.workedMs
    const limitMs = config.SESSION_TIMEOUT_SEC * SECOND_MS
    if (limitMs === 0 || status.isTimeUp || !isAtWork(status) || status.phase === 'judging') return
    // By both, so that a wall clock that is set does not use the time up.
    const workedMs = Math.min(this.ownMs, status.workedMs + measureSinceLastEvent(status))
    if (workedMs <= limitMs) return
    const workedSeconds = Math.round(workedMs / SECOND_MS)
    context.record({ type: 'time-limit.reached', workedSeconds, limitSeconds: config.SESSION_TIMEOUT_SEC })
  }
}

// --- internal ---

function measureSinceLastEvent({ lastEventAt }: SessionStatus): number {
  return Math.max(0, Date.now() - Date.parse(lastEventAt))
}
