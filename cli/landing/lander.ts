import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { acquireLease, isLeaseFree, readLeaseHolder, releaseLease } from '#host/lease'
import { checkLiveness, identify } from '#host/process'
import { chooseNext, getLanderLease, type Landing, type LandingQueue, readLandingPause } from '#landing'
import { readPause } from '#queue'
import { findSession } from '#session'
import { readStatus } from '../input/session.ts'
import { landOne } from './land-one.ts'
import { decideNext, type Tried } from './outcome.ts'
import { advanceRetries, startRetry } from './retry.ts'

/** What a lander is told by the process that it is. */
export interface LanderOptions {
  /** Sessions for which git may ask for a password, because their person is at this terminal. */
  askableSessions: ReadonlySet<string>
  /** Land also while dispatch, or landing in this repository, is paused. */
  ignoresPause: boolean
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
  const lease = await acquireLease(getLanderLease(folder), self)
  return lease && (() => releaseLease(getLanderLease(folder), lease))
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
  return !(await isLeaseFree(getLanderLease(folder)))
}

export function describeOtherLander(folder: string): string {
  return `Waiting for process ${readLeaseHolder(getLanderLease(folder))?.pid ?? 'unknown'}, which lands on this repository …`
}

/** Land what waits, one after the other, until nothing more can. Yields each session that has landed or has ended otherwise. */
export async function* runLander(config: Config, queue: LandingQueue, options: LanderOptions): AsyncGenerator<Landing> {
  queue.recover()
  for (;;) {
    if (!options.ignoresPause && isLandingPaused(config, queue)) return
    await advanceRetries(config, queue)
    const next = chooseNext(queue.list(), findLanded(config, queue), new Date())
    if (next === undefined) return
    if (!queue.claim(next)) continue
    const ended = await landClaimed(config, queue, { ...next, state: 'landing' }, options)
    if (ended) yield ended
  }
}

/** Does nothing land on this repository for now? */
export function isLandingPaused({ home }: Pick<Config, 'home'>, { folder }: LandingQueue): boolean {
  const now = new Date()
  return readPause(home, now) !== undefined || readLandingPause(folder, now) !== undefined
}

/** Those of the sessions on which entries wait that have landed. */
export function findLanded(config: Config, queue: LandingQueue): Set<string> {
  const awaited = new Set(queue.list().flatMap(({ after }) => after))
  return new Set([...awaited].filter(id => hasLanded(config, id)))
}

// --- internal ---

function hasLanded(config: Config, id: string): boolean {
  try {
    return readStatus(findSession(config.workspace, id)).landed.length > 0
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.notFound) return false // It was removed.
    throw error
  }
}

/** Returns the entry if it has ended. */
async function landClaimed(
  config: Config,
  queue: LandingQueue,
  entry: Landing,
  { askableSessions, say }: LanderOptions,
): Promise<Landing | undefined> {
  say(entry.session)
  const tried = await tryToLand(config, entry, askableSessions.has(entry.session), say)
  const isAttended = entry.attendedBy !== null && (await checkLiveness(entry.attendedBy)) === 'alive'
  const next = decideNext(entry, tried, { isAttended, now: new Date() })
  if (next.kind === 'later') {
    say(`${next.reason}. The next try is at ${next.notBefore}.`)
    queue.putBack(entry, { reason: next.reason, notBefore: next.notBefore, failures: entry.failures + 1 })
    return undefined
  }
  if (next.kind === 'send back') {
    const item = await startRetry(config, entry)
    say(`${next.reason}. A new attempt waits in the queue: ${item}.`)
    queue.sendBack(entry, { reason: next.reason, retryItem: item })
    return undefined
  }
  const error = 'error' in tried ? tried.error : null
  queue.end(entry, {
    outcome: next.outcome,
    reason: next.reason,
    error: error && { message: error.message, remedy: error.remedy ?? '', exitCode: error.exitCode },
  })
  return queue.find(entry.session)
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

/** An error for a person, whatever was thrown. */
export function toDispatchError(thrown: unknown): DispatchError {
  const error = toStorageError(undefined, thrown)
  if (error instanceof DispatchError) return error
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new DispatchError(`internal error, please report it: ${text}`, { exitCode: exitCodes.internal })
}
