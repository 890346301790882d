import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { isSqliteError } from '#host/sqlite.ts'
import { MINUTE_MS } from '#host/time.ts'
import { openTmux } from '#host/tmux'
import { type Item, MAX_FAILURES, type Outcome, type Queue } from '#queue'
import { getTmuxSessionName, stopSession } from '#runner'
import { findSession, type Session } from '#session'
import { listOpenSessions } from '#session/search-index'
import { readView, type SessionView } from '#session/status'
import { wakeDaemon } from '../background.ts'
import { withQueue } from './open.ts'

/** Settle each item whose session has ended, and follow those whose session goes on. Returns what has changed, for the log. */
export async function settleEnded(config: Config, queue: Queue): Promise<string[]> {
  const lines: (string | undefined)[] = []
  for (const item of await queue.list(['running']))
    lines.push(await settleRunning(config, queue, item).catch(error => describeUnsettled(item, error)))
  const left = (await queue.list(['waiting', 'needs you'])).filter(({ sessionId }) => sessionId !== null)
  // A session that is closed does not go on. `dispatch resume` and `dispatch judge` say what they do to one.
  const open = left.length === 0 ? [] : await listOpenSessions(config)
  for (const item of left) {
    const view = open.find(({ session }) => session.id === item.sessionId)
    if (view !== undefined) lines.push(await followOn(queue, item, await readView(view.session)))
  }
  return lines.filter(line => line !== undefined)
}

/** The same for the item of a session that was closed, in which something has happened since. */
export async function settleClosed(config: Config, session: Session): Promise<void> {
  const { queueItem } = session.manifest
  if (queueItem === null) return
  await withQueue(config, async queue => {
    const item = await queue.find(queueItem.item)
    if (item?.attempt !== queueItem.attempt || item.sessionId !== session.id) return
    if (['waiting', 'needs you', 'cancelled'].includes(item.state)) await followOn(queue, item, await readView(session))
  })
  await wakeDaemon(config)
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

/** A session that cannot be read or compared now keeps the rest of the queue from nothing. */
function describeUnsettled({ id }: Item, error: unknown): string {
  if (isSqliteError(error)) throw error
  return `${id}: how its session stands is not known: ${error instanceof Error ? error.message : error}`
}

async function settleRunning(config: Config, queue: Queue, item: Item): Promise<string | undefined> {
  const fence = { item: item.id, attempt: item.attempt }
  const outcome = await readOutcome(config, item)
  const isNext = outcome?.kind === 'failed' && item.failures + 1 < MAX_FAILURES
  if (outcome === undefined || (isNext && !(await makeRoomForNext(config, item)))) return undefined
  if ((await queue.settle(fence, outcome)) !== 'settled') return undefined
  // A person may have resumed it meanwhile.
  if ((await readOutcome(config, item)) === undefined) await queue.resume(fence, item.sessionId ?? '')
  return `${item.id}: ${outcome.kind}, ${outcome.reason}`
}

/**
 * Close the session of an attempt that has failed: the next one must not work beside it. Not while a terminal shows it, where a person
 * may go on. Returns whether the next one may begin.
 */
async function makeRoomForNext(config: Config, { id, sessionId }: Item): Promise<boolean> {
  const session = findSession(config.workspace, sessionId ?? '')
  if (await openTmux(config.home).isAttached(getTmuxSessionName(session))) return false
  try {
    await stopSession(session, config, { actor: 'dispatch', reason: `${id} is tried again in a new session` })
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return false // The next look tries it again.
  }
}

/**
 * An item that waits for another attempt, or for a person, while its session goes on or has come to something else: nothing starts
 * beside that session, and its PASS is one. Returns what has changed.
 */
async function followOn(queue: Queue, item: Item, view: SessionView): Promise<string | undefined> {
  const { verdict } = view.status
  const outcome = decideOutcome(view, new Date())
  const isNewVerdict = verdict !== undefined && verdict.time > item.since && outcome?.reason !== item.reason
  const isEnd = outcome?.kind === 'done' || (outcome?.kind === 'failed' && item.state === 'needs you' && isNewVerdict)
  const goesOn = outcome === undefined && view.otherHost === undefined
  if (!isEnd && !goesOn) return undefined
  const fence = { item: item.id, attempt: item.attempt }
  if ((await queue.resume(fence, view.session.id)) === 'lost') return undefined
  if (outcome === undefined) return `${item.id}: its session goes on`
  await queue.settle(fence, outcome)
  return `${item.id}: ${outcome.kind}, ${outcome.reason}`
}

async function readOutcome(config: Config, { sessionId }: Item): Promise<Outcome | undefined> {
  try {
    return decideOutcome(await readView(findSession(config.workspace, sessionId ?? '')), new Date())
  } catch (error) {
    if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.notFound) throw error
    return { kind: 'cancelled', reason: 'its session was removed' }
  }
}
