import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { acquireLease, isLeaseFree, type LeaseOptions, readLeaseHolder, releaseLease, renewLease } from '#host/lease'
import { readPauseFile } from '#host/pause-file.ts'
import { checkLiveness, identify } from '#host/process'
import { MINUTE_MS } from '#host/time.ts'
import { chooseNextLanding, getLanderLease, type Landing, type LandingQueue } from '#landing'
import { readPause } from '#queue'
import { findSession } from '#session'
import { toDispatchError } from '../to-dispatch-error.ts'
import { listBlocked, listLanded } from './blocked-entries.ts'
import { landOne } from './land-one.ts'
import { advanceRetries, startRetry } from './new-attempt.ts'
import { decideNext, isFailedPush, type Tried } from './outcome.ts'
import { tellStaleSiblings } from './overlaps.ts'

/** What a lander is told by the process that it is. */
export interface LanderOptions {
  /** Sessions for which git may ask for a password, because their person is at this terminal. */
  askableSessions: ReadonlySet<string>
  /** Land these also while dispatch, or landing on this repository, is paused; undefined: nothing lands then. */
  despitePause?: ReadonlySet<string> | undefined
  /** Called with each step that takes a while. */
  say(text: string): void
}

/**
 * Become the only one that lands on a repository, whichever branch or checkout it is. Undefined while another process is it; one that
 * was killed is not waited for.
 */
export async function becomeLander(folder: string): Promise<(() => void) | undefined> {
  const self = await identify(process.pid)
  if (self === undefined) throw new Error('the system does not list this process')
  const file = getLanderLease(folder)
  const lease = await acquireLease(file, self, leaseOptions)
  if (lease === undefined) return undefined
  const renewal = setInterval(() => renewLease(file, lease), RENEWAL_MS).unref()
  return () => {
    clearInterval(renewal)
    releaseLease(file, lease)
  }
}

/** The same, however long another one takes. `say` gets one line about it. */
export async function waitToBecomeLander(folder: string, say: (text: string) => void): Promise<() => void> {
  for (let isTold = false; ; isTold = true) {
    const release = await becomeLander(folder)
    if (release) return release
    if (!isTold) say(describeOtherLander(folder))
    await sleep(LANDER_POLL_MS)
  }
}

export const LANDER_POLL_MS = 250

/** Is there a process that lands on this repository? */
export async function hasLander(folder: string): Promise<boolean> {
  return !(await isLeaseFree(getLanderLease(folder), leaseOptions))
}

export function describeOtherLander(folder: string): string {
  return `Waiting for process ${readLeaseHolder(getLanderLease(folder))?.pid ?? 'unknown'}, which lands on this repository …`
}

/** Land what waits, one after the other, until nothing more can. Yields each session that has landed or has ended otherwise. */
export async function* runLander(config: Config, queue: LandingQueue, options: LanderOptions): AsyncGenerator<Landing> {
  queue.recover()
  for (;;) {
    const isPaused = isLandingPaused(config, queue)
    if (isPaused && options.despitePause === undefined) return
    await advanceRetries(config, queue)
    for (const { entry, reason } of await listBlocked(config, queue.listOpen()))
      queue.end(entry, { outcome: 'needs you', reason, error: null })
    const entries = queue.list()
    const mayGo = isPaused ? entries.filter(({ session }) => options.despitePause?.has(session)) : entries
    const next = chooseNextLanding(mayGo, findLanded(config, entries), new Date())
    if (next === undefined) return
    const claimed = queue.claim(next)
    if (claimed === undefined) continue
    const ended = await landClaimed(config, queue, claimed, options)
    if (ended) yield ended
  }
}

/** Does nothing land on this repository for now? */
export function isLandingPaused({ home }: Pick<Config, 'home'>, { pauseFile }: LandingQueue): boolean {
  const now = new Date()
  return readPause(home, now) !== undefined || readPauseFile(pauseFile, now) !== undefined
}

/** Those of the sessions on which entries wait that have landed. */
export function findLanded(config: Config, entries: Landing[]): Set<string> {
  const awaited = new Set(entries.flatMap(({ state, after }) => (state === 'waiting' ? after : [])))
  return new Set(listLanded(config, [...awaited]))
}

// --- internal ---

const RENEWAL_MS = MINUTE_MS
/** One on another machine, or in a container that was started again, is not waited for longer than this after its last sign of life. */
const leaseOptions: LeaseOptions = { elsewhereExpiresMs: 10 * RENEWAL_MS }

/** Returns the entry if it has ended. */
async function landClaimed(
  config: Config,
  queue: LandingQueue,
  entry: Landing,
  { askableSessions, say }: LanderOptions,
): Promise<Landing | undefined> {
  say(entry.session)
  const tried = await tryToLand(config, entry, askableSessions.has(entry.session), say)
  const isAttended = entry.attendedBy !== null && (await checkLiveness(entry.attendedBy)) !== 'dead'
  // A command that was killed waits for nothing any more, so its person gets a notification.
  const current = isAttended ? entry : { ...entry, attendedBy: null }
  const next = decideNext(current, tried, { isAttended, now: new Date() })
  if (next.kind === 'later') {
    say(`${next.reason}. The next try is at ${next.notBefore}.`)
    queue.putBack(current, { reason: next.reason, notBefore: next.notBefore, ...countFailure(entry, tried) })
    return undefined
  }
  if (next.kind === 'send back') {
    await sendBack(config, queue, current, next.reason, say)
    return undefined
  }
  const error = 'error' in tried ? tried.error : null
  queue.end(current, {
    outcome: next.outcome,
    reason: next.reason,
    error: error && { message: error.message, remedy: error.remedy ?? '', exitCode: error.exitCode },
  })
  if (next.outcome === 'landed') {
    replaceEarlier(config, queue, entry.session)
    const branch = 'landing' in tried ? tried.landing.branch : ''
    // What has landed has landed, whether or not the others can be told.
    await tellStaleSiblings(config, entry.session, branch).catch(error => say(`other sessions were not told: ${error}`))
  }
  return queue.find(entry.session)
}

/** A person had a task done again that needed them here, and that has landed now: the earlier sessions wait for nothing any more. */
function replaceEarlier(config: Config, queue: LandingQueue, landed: string): void {
  for (let id = readEarlier(config, landed); id !== undefined; id = readEarlier(config, id)) {
    const entry = queue.find(id)
    if (entry?.state !== 'ended' || entry.outcome !== 'needs you') continue
    const reason = `${landed} has landed in its place`
    queue.end({ ...entry, replacedBy: landed }, { outcome: 'replaced', reason, error: null })
  }
}

/** The session of which this one is a new attempt, if both are there. */
function readEarlier({ workspace }: Config, id: string): string | undefined {
  try {
    return findSession(workspace, id).manifest.retryOf?.session
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}

/** What the push meets is counted in all, what cannot be reached or decided in a row. */
function countFailure({ failures, refusals, undecided }: Landing, tried: Tried): Partial<Landing> {
  const none = { failures: 0, undecided: 0 }
  if ('error' in tried && !isFailedPush(tried.error)) return { ...none, failures: failures + 1 }
  return 'landing' in tried && ['undecided', 'blocked'].includes(tried.landing.state)
    ? { ...none, undecided: undecided + 1 }
    : { ...none, refusals: refusals + 1 }
}

/** Where the queue of starts cannot be written, the landing is tried again later. */
async function sendBack(
  config: Config,
  queue: LandingQueue,
  entry: Landing,
  reason: string,
  say: (text: string) => void,
): Promise<void> {
  try {
    const item = await startRetry(config, entry)
    say(`${reason}. A new attempt waits in the queue: ${item}.`)
    queue.sendBack(entry, { reason, retryItem: item })
  } catch (thrown) {
    const { message } = toDispatchError(thrown)
    const notBefore = new Date(Date.now() + MINUTE_MS).toISOString()
    queue.putBack(entry, { reason: `${reason}; the new attempt cannot be queued: ${message}`, notBefore })
  }
}

async function tryToLand(
  config: Config,
  { session: id, checkout, into, method, author }: Landing,
  isAtTerminal: boolean,
  say: (text: string) => void,
): Promise<Tried> {
  try {
    const session = findSession(config.workspace, id)
    const options = { method, author, isDryRun: false, isAtTerminal, say, into: into ?? undefined, repo: checkout }
    return { landing: await landOne(config, session, options) }
  } catch (thrown) {
    return { error: toDispatchError(thrown) }
  }
}
