import type { Liveness } from '#host/process'
import { MINUTE_MS } from '#host/time.ts'
import type { SessionStatus } from './status-types.ts'

/** Count the restarts in a row, with one at `now` (ms). A runner that lived for ten minutes ends the row. Pure. */
export function countConsecutiveRestarts({ lastRestart }: SessionStatus, now: number): number {
  return lastRestart && now - Date.parse(lastRestart.time) < RESTART_WINDOW_MS ? lastRestart.consecutiveRestarts + 1 : 1
}

/** Count how often in a row its claude was started again without a person, with one at `now` (ms). Pure. */
export function countConsecutiveResumes({ lastResume }: SessionStatus, now: number): number {
  return lastResume && now - Date.parse(lastResume.time) < RESTART_WINDOW_MS ? lastResume.consecutiveResumes + 1 : 1
}

/** Will nothing more happen unless a human acts? */
export function isSettled(status: SessionStatus): boolean {
  return (
    status.closed !== undefined ||
    ['failed', 'asking', 'needs you', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  )
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

// --- internal ---

const RESTART_WINDOW_MS = 10 * MINUTE_MS
