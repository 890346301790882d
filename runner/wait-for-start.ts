import type { Config } from '#host/config'
import { createInterruptError, DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness } from '#host/process'
import type { Session } from '#session'
import { type Event, followLog } from '#session/log'
import { requestClose } from './close-request.ts'
import { launchSuccessor } from './terminal.ts'

/**
 * How a session has started: the model has answered, perhaps while the repository is still being copied, or the vendor's limit
 * parks it until later.
 */
export type StartResult =
  | { isParked: false; isCopying: boolean }
  | { isParked: true; reason: string; resetsAt: string | null }

/**
 * Return when the model has answered once and the session's repository is ready or needs longer, or when the vendor's limit
 * parks the session; throw when the start fails. A runner that dies meanwhile gets one successor: on a new machine no watchdog
 * runs yet. `interrupt` ends the wait, and the session goes on.
 */
export async function waitForStart(session: Session, config: Config, interrupt?: AbortSignal): Promise<StartResult> {
  const timeoutSeconds = config.START_TIMEOUT_SEC + START_GRACE_SECONDS
  const deadlineMs = performance.now() + timeoutSeconds * 1000
  const missing = new Set<Event['type']>(['orchestrator.started', 'base.prepared'])
  let answeredAtMs = Number.POSITIVE_INFINITY
  for (let isRestarted = false; ; ) {
    const restMs = Math.ceil(answeredAtMs + COPY_GRACE_MS - performance.now())
    const timeout = AbortSignal.timeout(Math.max(0, Math.min(LIVENESS_INTERVAL_MS, restMs)))
    const signal = AbortSignal.any([timeout, ...(interrupt ? [interrupt] : [])])
    for await (const event of followLog(session.paths.events, { signal, rescanMs: RESCAN_MS })) {
      if (event.type === 'human.needed' && !missing.has('orchestrator.started'))
        return { isParked: false, isCopying: true } // It has started: the model has answered, and then needed a person.
      throwIfStartFailed(session, event)
      missing.delete(event.type)
      if (missing.size === 0) return { isParked: false, isCopying: false }
      if (event.type === 'orchestrator.started' && answeredAtMs === Number.POSITIVE_INFINITY) {
        answeredAtMs = performance.now()
        break // To wait for the copy no longer than that, instead of until the next look at the runner.
      }
      if (event.type === 'usage-limit.reached')
        return { isParked: true, reason: event.reason, resetsAt: event.resetsAt }
    }
    if (interrupt?.aborted) throw createInterruptError()
    if (performance.now() - answeredAtMs >= COPY_GRACE_MS) return { isParked: false, isCopying: true }
    const runner = readLeaseHolder(session.paths.runnerLease)
    const isGone = runner !== undefined && (await checkLiveness(runner)) === 'dead'
    if (isGone && !isRestarted) isRestarted = await launchSuccessor(session, config)
    else if (performance.now() > deadlineMs && (isGone || runner === undefined)) {
      // Only without a runner: with one, a large repository may take longer.
      const { closeSession } = await import('./runner.ts')
      await closeSession(session, config, 'dispatch', 'its runner did not start, or ended at once')
      const reason = `its runner did not start within ${timeoutSeconds} s, or ended`
      throw createStartError(session, reason, exitCodes.deadline)
    }
  }
}

// --- internal ---

/** What the runner may need beyond claude's own START_TIMEOUT_SEC. */
const START_GRACE_SECONDS = 15
const LIVENESS_INTERVAL_MS = 2000
const RESCAN_MS = 100
/** How long the copy of the repository may take beyond the first answer before the command stops waiting for it. */
const COPY_GRACE_MS = 500

function throwIfStartFailed(session: Session, event: Event): void {
  if (event.type === 'start.failed') throw createStartError(session, event.reason, event.exitCode)
  if (event.type === 'human.needed') {
    requestClose(session, 'it needed a person before it had started', 'dispatch')
    throw createStartError(session, event.reason, event.exitCode ?? exitCodes.internal)
  }
  if (event.type === 'session.closed')
    throw new DispatchError(`the session was closed by ${event.actor} before it had started: ${event.reason}`, {
      exitCode: exitCodes.conflict,
      remedy: `Nothing is still running. The record is in ${session.paths.folder}`,
    })
}

function createStartError({ paths }: Session, reason: string, exitCode: number): DispatchError {
  return new DispatchError(`the orchestrator did not start: ${reason}`, {
    exitCode: exitCode as ExitCode,
    remedy: `Nothing is still running. The record is in ${paths.folder}. To find the cause: dispatch doctor`,
  })
}
