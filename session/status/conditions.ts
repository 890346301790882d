import type { Liveness } from '#host/process'
import { MINUTE_MS } from '#host/time.ts'
import type { NewStart, SessionStatus } from './status-types.ts'

/** Count the new starts in a row, with one at `nowMs`, after the last one. What lived for ten minutes ends the row. Pure. */
export function countInARow(last: NewStart | undefined, nowMs: number): number {
  return last && Math.abs(nowMs - Date.parse(last.time)) < RESTART_WINDOW_MS ? last.inARow + 1 : 1
}

/** Will nothing more happen unless a human acts? */
export function isSettled(status: SessionStatus): boolean {
  return (
    status.closed !== undefined ||
    ['failed', 'asking', 'needs you', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  )
}

/** Does it work: it waits neither for a person, nor for the vendor's limit, nor for the judge? */
export function isAtWork(status: SessionStatus): boolean {
  return !isSettled(status) && status.usageLimit === null && status.judgeWait === null
}

/** Does the session wait for a person, with work still to do? */
export function needsPerson({ phase, closed }: SessionStatus): boolean {
  return closed === undefined && (phase === 'asking' || phase === 'needs you')
}

/**
 * Does it wait for a person without any process: because it was put to sleep, or the machine was started again? An answer
 * starts it again. Pure.
 */
export function isAsleep({ status, runnerLiveness }: { status: SessionStatus; runnerLiveness: Liveness }): boolean {
  return needsPerson(status) && runnerLiveness === 'dead'
}

/** Does it need a person because the orchestrator's claude has ended? Pure. */
export function isOrchestratorGone({ phase, problem = '' }: Pick<SessionStatus, 'phase' | 'problem'>): boolean {
  return phase === 'needs you' && /^the orchestrator( is gone|'s claude session ended)/.test(problem)
}

/** Does a contract need a human's approval right now? */
export function isAwaitingApproval({ phase, approval }: SessionStatus): boolean {
  return phase === 'asking' && approval?.state === 'asked'
}

/** Every state that a person reads. A verdict may also be void: `PASS (void)`. */
export const sessionStates = [
  ...(['opening', 'planning', 'working', 'judging', 'parked', 'stuck', 'interrupted', 'asking', 'needs you'] as const),
  ...(['failed', 'stopped', 'PASS', 'FAIL', 'INCONCLUSIVE'] as const),
] as const

/** Compute the state that a person reads. Unfinished work with a dead runner is `interrupted`. Pure. */
export function computeState(status: SessionStatus, runner: Liveness): SessionState | `${SessionState} (void)` {
  if (status.verdict?.voidReason && status.phase === status.verdict.verdict) return `${status.phase} (void)`
  if (['PASS', 'FAIL', 'INCONCLUSIVE', 'failed'].includes(status.phase)) return status.phase
  if (status.closed) return 'stopped'
  if (runner === 'dead' && !isSettled(status)) return 'interrupted'
  if ((status.usageLimit || status.judgeWait?.reason) && !isSettled(status)) return 'parked'
  return status.isStuck ? 'stuck' : status.phase
}

// --- internal ---

type SessionState = (typeof sessionStates)[number]

const RESTART_WINDOW_MS = 10 * MINUTE_MS
