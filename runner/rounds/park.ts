import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { type JudgeFailure, mayPass } from '#validator'
import type { RunnerContext } from '../context.ts'

/** The pauses before a judge that did not answer is asked again, in minutes. The last one is repeated. */
const pauseMinutes = [1, 2, 5, 10, 15]

/** Without a deadline, a judge that does not answer is waited for this long. */
const MAX_WAIT_MS = 12 * HOUR_MS

/** Each malformed answer costs money, so it is not waited for all night. */
const MAX_MALFORMED_ATTEMPTS = 5

const MAX_REASON_CHARS = 2000

/**
 * Park a round whose judge gave no answer: nothing is lost, nothing is spent, and the judge is asked again after a pause. Answers
 * false where that is no use: the cause will not pass, or the time for waiting is over.
 */
export function parkRound(context: RunnerContext, round: number, failure: JudgeFailure, nowMs = Date.now()): boolean {
  const { session, status, config } = context
  const { kind, reason, retryAfterMs = 0 } = failure
  const attempts = (status.judgeWait?.attempts ?? 0) + 1
  const untilMs = status.judgeWait
    ? Date.parse(status.judgeWait.until)
    : computeWaitEnd(session.manifest.deadline, nowMs)
  const isHopeless = kind === 'malformed' && attempts > MAX_MALFORMED_ATTEMPTS
  if (!mayPass(kind) || isHopeless || nowMs >= untilMs) return false
  const nextMs = nowMs + Math.max(computePauseMs(attempts, config.JUDGE_TIMEOUT_SEC), retryAfterMs)
  context.record({
    type: 'judging.parked',
    round,
    kind,
    reason: reason.slice(0, MAX_REASON_CHARS),
    attempts,
    nextAt: new Date(Math.min(nextMs, untilMs)).toISOString(),
    until: new Date(untilMs).toISOString(),
  })
  return true
}

/** How long to wait after `attempts` without an answer. Each pause is shorter if the judge has less than a minute to answer. Pure. */
export function computePauseMs(attempts: number, judgeTimeoutSeconds: number): number {
  const minutes = pauseMinutes[Math.min(attempts, pauseMinutes.length) - 1] ?? 1
  return minutes * Math.min(MINUTE_MS, judgeTimeoutSeconds * SECOND_MS)
}

/** Until when to ask again: the deadline of the session if it is still to come, or twelve hours, in ms. Pure. */
export function computeWaitEnd(deadline: string | null, nowMs: number): number {
  const deadlineMs = deadline === null ? 0 : Date.parse(deadline)
  return deadlineMs > nowMs ? Math.min(deadlineMs, nowMs + MAX_WAIT_MS) : nowMs + MAX_WAIT_MS
}
