import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { measureAvailableMemory } from '#host/memory.ts'
import { DAY_MS, SECOND_MS } from '#host/time.ts'
import { listProjects } from '#projects'
import {
  computeRoom,
  findCap,
  type Item,
  type Limits,
  type Load,
  type Queue,
  type Room,
  readPause,
  SESSION_MEMORY_BYTES,
} from '#queue'
import { readLog } from '#session/log'
import { listOpenSessions } from '#session/search-index'
import { addUpCost, computeStatus, isAsleep, isSettled, needsPerson, type SessionView } from '#session/status'
import { withQueue } from './open.ts'

/** How many sessions of the queue may start now, and what holds back the rest. */
export async function findRoom(config: Config, queue: Queue, now = new Date()): Promise<Room> {
  const since = new Date(now.getTime() - DAY_MS).toISOString()
  const views = await listOpenSessions(config, { orSince: since })
  const starting = await queue.list(['starting'])
  const load: Load = {
    pause: readPause(config.home, now),
    sessionsByRepository: addStarting(countSessions(config, views, now), starting),
    freeMemoryBytes: await measureAvailableMemory(),
    starts: [...(await queue.listStarts(since)), ...listOwnStarts(views, since)].sort(byTime),
    lastAnswered: views.filter(hasAnswered).map(getOpeningTime).sort().at(-1) ?? '',
    pendingStarts: [...starting.map(({ since }) => since), ...views.filter(isOpening).map(getOpeningTime)],
    usd: config.MAX_USD_DAY === 0 ? 0 : views.reduce((sum, view) => sum + addUpCostSince(view, since), 0),
  }
  return computeRoom(readLimits(config), load, now)
}

/**
 * How many sessions whose processes are all gone may start them again, under the same caps as the queue: none while dispatch is
 * paused. They go before what waits in the queue, because they count as running there.
 */
export async function findRoomToTakeUp(config: Config, views: SessionView[], now = new Date()): Promise<number> {
  if (readPause(config.home, now) !== undefined) return 0
  const { maxSessions } = readLimits(config)
  const running = views.filter(({ status, runnerLiveness }) => runnerLiveness === 'alive' && !isSettled(status)).length
  const starting =
    maxSessions === 0 ? 0 : await withQueue(config, async queue => (await queue.list(['starting'])).length)
  const byCap = maxSessions === 0 ? Number.POSITIVE_INFINITY : maxSessions - running - starting
  return Math.max(0, Math.min(byCap, Math.floor((await measureAvailableMemory()) / SESSION_MEMORY_BYTES)))
}

/** A person's own session always starts. Say so where it is one more than the limits of the queue allow. */
export async function warnOverCap(
  config: Config,
  repository: string | undefined,
  say: (text: string) => void,
): Promise<void> {
  const warning = await describeOverCap(config, repository)
  if (warning !== undefined) say(warning)
}

/** What this machine has, for items that need it. */
export function listCapabilities({ CAPABILITIES }: Config): string[] {
  return CAPABILITIES.split(/[ ,]+/)
}

/**
 * Does it take one of the places that the limits give? One that sleeps, or has ended, does not, and neither does one that has its
 * verdict: it only stays open for a while. One that has waited for a person for so long that it would sleep, and is only kept awake, as
 * by its deadline, gives its place to the next task. Pure.
 */
export function takesPlace(
  view: Pick<SessionView, 'status' | 'runnerLiveness'>,
  { SLEEP_AFTER_SEC }: Pick<Config, 'SLEEP_AFTER_SEC'>,
  now: Date,
): boolean {
  const { status, runnerLiveness } = view
  const isOver = status.closed !== undefined || ['failed', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  if (isOver || isAsleep(view) || runnerLiveness === 'elsewhere') return false
  const mayGoOn =
    status.judgeWait !== null || status.usageLimit !== null || status.workers.some(each => each.endedAt === undefined)
  if (!needsPerson(status) || mayGoOn || SLEEP_AFTER_SEC === 0) return true
  return !(now.getTime() - Date.parse(status.phaseStartedAt) > SLEEP_AFTER_SEC * SECOND_MS)
}

// --- internal ---

/** That a person's own session is one more than the limits allow, which hold back only the queue. Undefined if it is not. */
async function describeOverCap(config: Config, repository: string | undefined): Promise<string | undefined> {
  const counts = countSessions(config, await listOpenSessions(config), new Date())
  const running = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const limits = readLimits(config)
  if (limits.maxSessions > 0 && running > limits.maxSessions)
    return `${running} sessions run now; MAX_SESSIONS=${limits.maxSessions} holds back the queue until fewer do`
  const name = repository ?? ''
  const { cap, setting } = findCap(limits, name)
  const count = counts[name] ?? 0
  if (count <= cap) return undefined
  const place = name === '' ? 'without a repository' : 'in this repository'
  return `${count} sessions run ${place}; ${setting}=${cap} holds back the queue there until fewer do`
}

/** A start that has no session yet takes its place. */
function addStarting(counts: Record<string, number>, items: Item[]): Record<string, number> {
  for (const { repository } of items) counts[repository ?? ''] = (counts[repository ?? ''] ?? 0) + 1
  return counts
}

function readLimits(config: Config): Limits {
  return {
    maxSessions: config.MAX_SESSIONS,
    maxSessionsPerProject: config.MAX_SESSIONS_PROJECT,
    maxSessionsByRepository: readOwnCaps(config.home),
    staggerSeconds: config.STAGGER_SEC,
    maxStartsPerDay: config.MAX_STARTS_DAY,
    maxUsdPerDay: config.MAX_USD_DAY,
  }
}

/** The caps of projects. A damaged file of one is told where projects are shown, and does not hold back the queue. */
function readOwnCaps(home: string): Record<string, number> {
  try {
    const projects = listProjects(home)
    return Object.fromEntries(projects.flatMap(({ path, maxSessions }) => (maxSessions ? [[path, maxSessions]] : [])))
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return {}
  }
}

/** What people started themselves, and what started. Where such a start fails, that says nothing about the queue. */
function listOwnStarts(views: SessionView[], since: string): Load['starts'] {
  return views
    .filter(({ session, status }) => session.manifest.queueItem === null && status.phase !== 'failed')
    .map(({ session }) => ({ at: session.manifest.openedAt, isFailed: false }))
    .filter(({ at }) => at >= since)
}

const getOpeningTime = ({ session }: SessionView) => session.manifest.openedAt
const isOpening = ({ status, runnerLiveness }: SessionView) =>
  status.phase === 'opening' && status.closed === undefined && runnerLiveness !== 'elsewhere'
const hasAnswered = ({ status }: SessionView) => status.phase !== 'opening' && status.phase !== 'failed'
const byTime = (a: { at: string }, b: { at: string }) => Date.parse(a.at) - Date.parse(b.at)

/** What a session has cost since a time. Only the log of one that began before it is read. */
function addUpCostSince({ session, status }: SessionView, since: string): number {
  const { usd } = addUpCost(status)
  if (usd === 0 || session.manifest.openedAt >= since) return usd
  if (status.lastEventAt < since) return 0
  const earlier = readLog(session.paths.events).events.filter(({ time }) => time < since)
  return Math.max(0, usd - addUpCost(computeStatus(earlier)).usd)
}

/** By repository. */
function countSessions(config: Config, views: SessionView[], now: Date): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const view of views) {
    const { session } = view
    if (!takesPlace(view, config, now)) continue
    const name = session.manifest.repository?.path ?? ''
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
