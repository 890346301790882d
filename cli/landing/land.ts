import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { identify } from '#host/process'
import { getLandingFolder, type Landing, type LandingQueue } from '#landing'
import { findSession, type Session } from '#session'
import type { LandingStatus } from '#session/landing'
import { startDaemon } from '#watchdog'
import { readStatus } from '../input/session.ts'
import { toDispatchError } from '../to-dispatch-error.ts'
import { type LandingWish, putIn } from './enqueue.ts'
import { dropAtSignal, type OwnLandings } from './interrupt.ts'
import { findCheckoutToLand, landOne } from './land-one.ts'
import { becomeLander, describeOtherLander, LANDER_POLL_MS, runLander, waitToBecomeLander } from './lander.ts'
import { listStaleSiblings } from './overlaps.ts'

/** What a person asked for with `dispatch land`. */
export interface LandingOptions extends Omit<LandingWish, 'attendedBy' | 'sendsBack'> {
  /** Land in the order of the sessions, instead of the smallest first. */
  keepsOrder: boolean
  isDryRun: boolean
  isAtTerminal: boolean
  /** Land also while something is paused. */
  ignoresPause: boolean
  say(text: string): void
}

/** What came of one session: where it stands, or why it could not be tried. */
export interface LandingResult {
  session: Session
  landing?: LandingStatus
  error?: DispatchError
  /** Once it has landed: other sessions that changed files of this one, and will be proved again when they land. */
  stale?: string[]
}

/**
 * Land sessions, each after what goes before it in the queue of its repository. One that does not land keeps no other, and each result
 * comes as soon as it is there. A command that is interrupted takes out what has not landed; if it is killed, the daemon goes on.
 */
export async function* landSessions(
  config: Config,
  sessions: Session[],
  options: LandingOptions,
): AsyncGenerator<LandingResult> {
  if (options.isDryRun) return yield* tryAll(config, sessions, options)
  const attendedBy = (await identify(process.pid)) ?? null
  const wish = { ...pickWish(options), keepsOrder: options.keepsOrder, attendedBy, sendsBack: false }
  const refused: LandingResult[] = []
  const groups: OwnLandings[] = []
  const stopListening = dropAtSignal(groups)
  try {
    await putIn(config, sessions, wish, (session, error) => refused.push({ session, error }), groups)
    yield* refused
    if (groups.length > 0) await startDaemon(config) // It goes on if this command is killed.
    for (const group of groups) yield* landOwn(config, group, options)
  } finally {
    stopListening()
  }
}

/** The exit code of one result: 0 landed or ready, 3 red, 5 conflict, stale or refused, 12 without a judge. Pure. */
export function getLandingExitCode({ landing, error }: LandingResult, isDryRun: boolean): ExitCode {
  if (error) return error.exitCode
  switch (landing?.state) {
    case 'landed':
      return exitCodes.ok
    case 'ready':
      return isDryRun ? exitCodes.ok : exitCodes.conflict
    case 'red':
    case 'blocked':
    case 'unproved':
      return exitCodes.fail
    case 'undecided':
    case 'merged':
      return exitCodes.inconclusive
    default:
      return exitCodes.conflict
  }
}

/** The result of an entry that has ended, or that this command need not wait for. */
export function readResult(config: Config, entry: Landing): LandingResult {
  const session = findSession(config.workspace, entry.session)
  const createError = (message: string, remedy = '') =>
    new DispatchError(message, { exitCode: exitCodes.conflict, remedy })
  if (entry.state === 'sent back') {
    const remedy = `To see it: dispatch land ls. To take it out: dispatch land drop ${session.id.slice(-4)}`
    return { session, error: createError(`a new attempt is made: ${entry.reason}`, remedy) }
  }
  if (entry.outcome === 'dropped' || entry.outcome === 'replaced') return { session, error: createError(entry.reason) }
  if (entry.error) {
    const { message, remedy, exitCode } = entry.error
    return { session, error: new DispatchError(message, { exitCode: exitCode as ExitCode, remedy }) }
  }
  const { landing } = readStatus(session)
  return { session, ...(landing && { landing }) }
}

// --- internal ---

async function completeResult(config: Config, entry: Landing): Promise<LandingResult> {
  const result = readResult(config, entry)
  if (entry.outcome !== 'landed') return result
  return { ...result, stale: await listStaleSiblings(config, entry.session) }
}

function pickWish({ into, repo, after, method, author }: LandingOptions) {
  return { into, repo, after, method, author }
}

/** As the lander, or while another process is it: then that one lands also these. */
async function* landOwn(
  config: Config,
  group: OwnLandings,
  { isAtTerminal, ignoresPause, say }: LandingOptions,
): AsyncGenerator<LandingResult> {
  const { queue, own } = group
  const askableSessions = isAtTerminal ? new Set(own) : new Set<string>()
  const despitePause = ignoresPause ? own : undefined
  for (let isTold = false; own.size > 0; ) {
    yield* takeResults(config, queue, own)
    if (own.size === 0) return
    const release = await becomeLander(queue.folder)
    if (release === undefined) {
      if (!isTold) say(describeOtherLander(queue.folder))
      isTold = true
      await sleep(LANDER_POLL_MS)
      continue
    }
    group.isLander = true
    try {
      for await (const entry of runLander(config, queue, { askableSessions, despitePause, say })) {
        if (own.delete(entry.session)) yield completeResult(config, entry)
        if (own.size === 0) break
      }
    } finally {
      group.isLander = false
      release()
    }
    yield* takeResults(config, queue, own)
    yield* explainRest(config, queue, own)
  }
}

/** What has ended by another process, or is not to be waited for any more. */
async function* takeResults(config: Config, queue: LandingQueue, own: Set<string>): AsyncGenerator<LandingResult> {
  for (const id of [...own]) {
    const entry = queue.find(id)
    if (entry?.state === 'waiting' || entry?.state === 'landing') continue
    own.delete(id)
    if (entry) yield completeResult(config, entry)
    else
      yield {
        session: findSession(config.workspace, id),
        error: createRestError('it is not in the queue any more', id),
      }
  }
}

/** The lander has stopped before these: what they wait for does not come by itself, or landing was paused meanwhile. */
function* explainRest(config: Config, queue: LandingQueue, own: Set<string>): Generator<LandingResult> {
  for (const id of [...own]) {
    const entry = queue.find(id)
    if (entry?.state !== 'waiting') continue
    own.delete(id)
    const reason =
      entry.reason !== ''
        ? entry.reason
        : entry.after.length > 0
          ? `it waits for ${entry.after.join(', ')}`
          : 'landing is paused'
    // What another command had put in goes on waiting.
    const isDropped = entry.attendedBy?.pid === process.pid && queue.drop(id, reason)
    const message = isDropped ? `${reason}, so it was taken out again` : `it goes on waiting: ${reason}`
    yield { session: findSession(config.workspace, id), error: createRestError(message, id) }
  }
}

function createRestError(message: string, id: string): DispatchError {
  return new DispatchError(message, {
    exitCode: exitCodes.conflict,
    remedy: `To have it land as soon as it may: dispatch land ${id.slice(-4)} --queue. To see what waits: dispatch land ls`,
  })
}

/** Find out all of it for each, and push nothing. */
async function* tryAll(config: Config, sessions: Session[], options: LandingOptions): AsyncGenerator<LandingResult> {
  for (const session of sessions) {
    try {
      const checkout = await findCheckoutToLand(config, session, options.repo)
      const release = await waitToBecomeLander(await getLandingFolder(config.home, checkout), options.say)
      try {
        yield { session, landing: await landOne(config, session, options) }
      } finally {
        release()
      }
    } catch (thrown) {
      yield { session, error: toDispatchError(thrown) }
    }
  }
}
