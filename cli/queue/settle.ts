import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { MINUTE_MS } from '#host/time.ts'
import type { Item, Outcome, Queue } from '#queue'
import { findSession } from '#session'
import { readView, type SessionView } from '#session/status'

/** Settle each item whose session has ended. Returns what it settled, for the log. */
export async function settleEnded(config: Config, queue: Queue): Promise<string[]> {
  const lines: string[] = []
  for (const item of await queue.list(['running'])) {
    const outcome = await readOutcome(config, item)
    const fence = { item: item.id, attempt: item.attempt }
    if (outcome === undefined) await queue.renew(fence)
    else if ((await queue.settle(fence, outcome)) === 'settled') {
      lines.push(`${item.id}: ${outcome.kind}, ${outcome.reason}`)
      // A person may have resumed it meanwhile.
      if ((await readOutcome(config, item)) === undefined) await queue.resume(fence)
    }
  }
  return lines
}

/** What became of an attempt; undefined while its session goes on. Pure. */
export function decideOutcome({ session, status, state, otherHost }: SessionView, now: Date): Outcome | undefined {
  if (otherHost !== undefined) return undefined
  const { phase, problem = '', verdict, closed, startExitCode } = status
  if (phase === 'failed') {
    const reason = problem || 'the session did not start'
    if (!environmentExitCodes.includes(startExitCode ?? exitCodes.internal)) return { kind: 'failed', reason }
    return { kind: 'again', reason, notBefore: new Date(now.getTime() + ENVIRONMENT_REST_MS).toISOString() }
  }
  const show = `dispatch show ${session.id.slice(-4)}`
  if (verdict?.isFinal && phase === verdict.verdict) {
    if (verdict.voidReason) return { kind: 'needs you', reason: `${state}: ${verdict.voidReason}` }
    if (phase === 'PASS') return { kind: 'done', reason: 'PASS' }
    if (phase === 'FAIL') return { kind: 'failed', reason: `FAIL: ${verdict.reason}` }
    return { kind: 'needs you', reason: `INCONCLUSIVE: ${verdict.reason}; ${show}` }
  }
  if (closed === undefined) return undefined
  const reason = `its session was closed by ${closed.actor}: ${closed.reason}`
  return closed.actor === 'dispatch' ? { kind: 'failed', reason } : { kind: 'cancelled', reason }
}

/** How a start ended that made no session, by the exit code of `dispatch`. Pure. */
export function decideFailedStart(
  exitCode: number | undefined,
  message: string,
  { now, isPaused }: { now: Date; isPaused: boolean },
): Outcome {
  if (isPaused) return { kind: 'released', reason: 'dispatch was paused before it had started' }
  const reason = `it did not start: ${message}`
  if (exitCode === exitCodes.usage || exitCode === exitCodes.notFound || exitCode === exitCodes.conflict)
    return { kind: 'needs you', reason }
  if (exitCode !== undefined && !environmentExitCodes.includes(exitCode)) return { kind: 'failed', reason }
  return { kind: 'again', reason, notBefore: new Date(now.getTime() + ENVIRONMENT_REST_MS).toISOString() }
}

// --- internal ---

const ENVIRONMENT_REST_MS = 5 * MINUTE_MS

/** The machine, the login or the vendor was the reason, and not the work: it uses up no attempt. */
const environmentExitCodes: number[] = [
  exitCodes.dependency,
  exitCodes.login,
  exitCodes.upstream,
  exitCodes.storage,
  exitCodes.sandbox,
  exitCodes.deadline,
  exitCodes.interrupted,
]

async function readOutcome(config: Config, { sessionId }: Item): Promise<Outcome | undefined> {
  try {
    return decideOutcome(await readView(findSession(config.workspace, sessionId ?? '')), new Date())
  } catch (error) {
    if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.notFound) throw error
    return { kind: 'cancelled', reason: 'its session was removed' }
  }
}
