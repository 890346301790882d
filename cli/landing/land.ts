import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { identify } from '#host/process'
import type { Entry, Landing, LandingQueue } from '#landing'
import { findSession, type Session } from '#session'
import type { LandingStatus } from '#session/landing'
import { readStatus } from '../input/session.ts'
import { addEntries, buildEntry, type LandingWish } from './enqueue.ts'
import { dropAtSignal } from './interrupt.ts'
import { landOne } from './land-one.ts'
import {
  becomeLander,
  describeOtherLander,
  LANDER_POLL_MS,
  runLander,
  toDispatchError,
  waitToBecomeLander,
} from './lander.ts'
import { findStaleSiblings } from './overlaps.ts'

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
  const queues = new Map<string, { queue: LandingQueue; entries: Entry[] }>()
  for (const session of sessions) {
    try {
      const { queue, entry } = await buildEntry(config, session, { ...pickWish(options), attendedBy, sendsBack: false })
      const known = queues.get(queue.folder) ?? { queue, entries: [] }
      queues.set(queue.folder, { queue, entries: [...known.entries, entry] })
    } catch (thrown) {
      yield { session, error: toDispatchError(thrown) }
    }
  }
  for (const { queue, entries } of queues.values()) {
    addEntries(queue, entries, options.keepsOrder)
    yield* landOwn(config, queue, new Set(entries.map(({ session }) => session)), options)
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
      return exitCodes.fail
    case 'undecided':
      return exitCodes.inconclusive
    default:
      return exitCodes.conflict
  }
}

/** The result of an entry that has ended. */
export function readResult(config: Config, { session: id, error, outcome, reason }: Landing): LandingResult {
  const session = findSession(config.workspace, id)
  if (error) {
    const { message, remedy, exitCode } = error
    return { session, error: new DispatchError(message, { exitCode: exitCode as ExitCode, remedy }) }
  }
  if (outcome === 'dropped')
    return {
      session,
      error: new DispatchError(`it was taken out of the queue: ${reason}`, {
        exitCode: exitCodes.conflict,
        remedy: '',
      }),
    }
  const { landing } = readStatus(session)
  return { session, ...(landing && { landing }) }
}

// --- internal ---

async function completeResult(config: Config, entry: Landing): Promise<LandingResult> {
  const result = readResult(config, entry)
  if (entry.outcome !== 'landed') return result
  return { ...result, stale: await findStaleSiblings(config, entry.session).catch(() => []) }
}

function pickWish({ into, repo, after, method, author }: LandingOptions) {
  return { into, repo, after, method, author }
}

/** As the lander, or while another process is it: then that one lands also these. */
async function* landOwn(
  config: Config,
  queue: LandingQueue,
  own: Set<string>,
  { isAtTerminal, ignoresPause, say }: LandingOptions,
): AsyncGenerator<LandingResult> {
  const stopListening = dropAtSignal(queue, own)
  const askableSessions = isAtTerminal ? new Set(own) : new Set<string>()
  try {
    for (let isTold = false; own.size > 0; ) {
      for (const entry of queue.list().filter(({ state, session }) => state === 'ended' && own.has(session))) {
        own.delete(entry.session)
        yield await completeResult(config, entry)
      }
      const release = await becomeLander(queue.folder)
      if (release === undefined) {
        if (!isTold) say(describeOtherLander(queue.folder))
        isTold = true
        await sleep(LANDER_POLL_MS)
        continue
      }
      try {
        for await (const entry of runLander(config, queue, { askableSessions, ignoresPause, say })) {
          if (own.delete(entry.session)) yield await completeResult(config, entry)
          if (own.size === 0) break
        }
      } finally {
        release()
      }
      yield* explainRest(config, queue, own)
    }
  } finally {
    stopListening()
  }
}

/** The lander has stopped before these: what they wait for does not come by itself, or landing was paused meanwhile. */
function* explainRest(config: Config, queue: LandingQueue, own: Set<string>): Generator<LandingResult> {
  for (const id of [...own]) {
    const entry = queue.find(id)
    if (entry?.state !== 'waiting') continue
    const reason = entry.after.length > 0 ? `it waits for ${entry.after.join(', ')}` : 'landing is paused'
    if (!queue.drop(id, reason)) continue
    own.delete(id)
    const error = new DispatchError(`${reason}, so it was taken out again`, {
      exitCode: exitCodes.conflict,
      remedy: `To have it land as soon as it may: dispatch land ${id.slice(-4)} --queue`,
    })
    yield { session: findSession(config.workspace, id), error }
  }
}

/** Find out all of it for each, and push nothing. */
async function* tryAll(config: Config, sessions: Session[], options: LandingOptions): AsyncGenerator<LandingResult> {
  for (const session of sessions) {
    try {
      const wish = { ...pickWish(options), attendedBy: null, sendsBack: false }
      const { queue } = await buildEntry(config, session, wish)
      const release = await waitToBecomeLander(queue.folder, options.say)
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
