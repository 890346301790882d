import { DAY_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'
import type { Pause } from './pause.ts'

/** What limits the starts of the queue. A person's own `dispatch "task"` counts, and is never held back. */
export interface Limits {
  /** Sessions at once on this machine. 0: as many as there is memory for. */
  maxSessions: number
  maxSessionsPerProject: number
  /** Repositories with a number of their own. */
  maxSessionsByRepository?: Record<string, number>
  /** The pause between two starts. */
  staggerSeconds: number
  maxStartsPerDay: number
  /** In 24 hours, over all sessions. 0: no limit. */
  maxUsdPerDay: number
}

/** A start, and whether it has failed for a reason that is not its work. */
export interface Start {
  /** Of the queue; undefined for what a person started. */
  item?: string
  at: string
  isFailed: boolean
}

/** How things stand. */
export interface Load {
  pause: Pause | undefined
  /** How many sessions take a place, by repository; `''` is work without one. */
  sessionsByRepository: Record<string, number>
  freeMemoryBytes: number
  /** The starts of the last 24 hours, also those of people, oldest first. */
  starts: Start[]
  /** When the newest session began whose model has answered, ISO 8601; empty without one. */
  lastAnswered: string
  /** When those began that have had neither an answer of their model nor a failure yet. */
  pendingStarts: string[]
  /** What all sessions have cost in the last 24 hours. */
  usd: number
}

/** How many may start now, and which limit holds back the rest: what it is, when it ends if that is known, and what lifts it. */
export interface Room {
  slots: number
  roomByRepository: Record<string, number>
  defaultRoom: number
  /** What holds back the items of the repositories without room, by repository. */
  reasonByRepository: Record<string, string>
  reason: string
  /** Is memory all that is missing? */
  lacksMemory: boolean
  /** ISO 8601. Null: when a session ends, or when a person lifts it. */
  until: string | null
}

/** The memory of a session with its agents: claude's processes and dispatch's own. */
export const SESSION_MEMORY_BYTES = 600 << 20

/** Decide how many sessions may start. Pure. */
export function computeRoom(limits: Limits, load: Load, now: Date): Room {
  const { sessionsByRepository } = load
  const caps = listCaps(limits, sessionsByRepository)
  const running = Object.values(sessionsByRepository).reduce((sum, count) => sum + count, 0)
  const slotsByMemory = Math.floor(load.freeMemoryBytes / SESSION_MEMORY_BYTES)
  const slotsByCap = limits.maxSessions === 0 ? Number.POSITIVE_INFINITY : limits.maxSessions - running
  const block = findBlock(limits, { ...load, starts: omitFuture(load.starts, now) }, now)
  const slots = block ? 0 : Math.max(0, Math.min(slotsByMemory, slotsByCap, limits.staggerSeconds > 0 ? 1 : Infinity))
  return {
    slots,
    roomByRepository: Object.fromEntries(caps.map(({ name, cap, count }) => [name, cap - count])),
    defaultRoom: limits.maxSessionsPerProject,
    reasonByRepository: Object.fromEntries(
      caps.flatMap(({ name, cap, count, setting }) =>
        cap > count ? [] : [[name, `${describePlace(name, count)}; ${setting}=${cap} allows no more`]],
      ),
    ),
    reason: block?.reason ?? (slots > 0 ? '' : describeFull({ running, slotsByCap }, limits, load)),
    lacksMemory: block === undefined && slotsByMemory === 0 && slotsByCap > 0,
    until: block?.until ?? null,
  }
}

/** How many sessions a repository may have, and which setting says so. Pure. */
export function findCap(
  { maxSessionsPerProject, maxSessionsByRepository = {} }: Limits,
  repository: string,
): { cap: number; setting: string } {
  const own = maxSessionsByRepository[repository]
  if (own === undefined) return { cap: maxSessionsPerProject, setting: 'MAX_SESSIONS_PROJECT' }
  return { cap: own, setting: '--max-sessions' }
}

// --- internal ---

const FAILED_START_REST_MS = 5 * MINUTE_MS
const MAX_REST_MS = 60 * MINUTE_MS

/** How many sessions each repository has that may have a limit, and which limit that is. */
function listCaps(
  limits: Limits,
  counts: Record<string, number>,
): { name: string; cap: number; count: number; setting: string }[] {
  const names = Object.keys({ ...counts, ...limits.maxSessionsByRepository })
  return names.map(name => ({ name, count: counts[name] ?? 0, ...findCap(limits, name) }))
}

/** The clock was ahead when these were recorded, and has been set back. They say nothing about now. */
function omitFuture(starts: Start[], now: Date): Start[] {
  return starts.filter(({ at }) => Date.parse(at) <= now.getTime())
}

/**
 * The rest after starts that failed since a model last answered. It is over five minutes after the last of them, and twice as long for
 * each time that one had failed after such a rest; then one is tried alone. Starts that fail together, as when the network is gone,
 * count as one.
 */
function findRest({
  starts,
  lastAnswered,
  pendingStarts,
}: Load): { endsAtMs: number; times: number; isTried: boolean } | undefined {
  const failed = starts.filter(({ at, isFailed }) => isFailed && at > lastAnswered)
  let [times, countedMs] = [0, Number.NEGATIVE_INFINITY]
  for (const { at } of failed) {
    if (Date.parse(at) - countedMs < FAILED_START_REST_MS) continue
    countedMs = Date.parse(at)
    times++
  }
  const last = failed.at(-1)
  const restMs = Math.min(MAX_REST_MS, FAILED_START_REST_MS * 2 ** (times - 1))
  return last && { endsAtMs: Date.parse(last.at) + restMs, times, isTried: pendingStarts.some(at => at > last.at) }
}

/** What keeps everything from starting. */
function findBlock(limits: Limits, load: Load, now: Date): Pick<Room, 'reason' | 'until'> | undefined {
  const { pause, starts, usd } = load
  const isFuture = (ms: number) => ms > now.getTime()
  if (pause)
    return {
      reason: `paused${pause.reason ? ` (${pause.reason})` : ''}; \`dispatch unpause\` ends it`,
      until: pause.until,
    }
  const rest = findRest(load)
  if (rest && (isFuture(rest.endsAtMs) || rest.isTried)) {
    const what = rest.times > 1 ? `starts failed ${rest.times} times in a row` : 'a start has failed'
    if (isFuture(rest.endsAtMs)) return { reason: `${what}, so the queue rests`, until: toTime(rest.endsAtMs) }
    return { reason: `${what}, and the rest waits for the one that is tried now`, until: null }
  }
  const started = starts.filter(({ isFailed }) => !isFailed)
  if (started.length >= limits.maxStartsPerDay) {
    const [oldest] = started.slice(-limits.maxStartsPerDay)
    const reason = `${started.length} starts in 24 hours; MAX_STARTS_DAY=${limits.maxStartsPerDay} allows no more`
    return { reason, until: oldest ? toTime(Date.parse(oldest.at) + DAY_MS) : null }
  }
  if (limits.maxUsdPerDay > 0 && usd >= limits.maxUsdPerDay)
    return {
      reason: `$${usd.toFixed(2)} spent in 24 hours; MAX_USD_DAY=${limits.maxUsdPerDay} allows no more`,
      until: null,
    }
  const last = starts.at(-1)
  const staggerEndsMs = last ? Date.parse(last.at) + limits.staggerSeconds * SECOND_MS : 0
  if (isFuture(staggerEndsMs))
    return {
      reason: `the last start was less than ${limits.staggerSeconds} s ago (STAGGER_SEC)`,
      until: toTime(staggerEndsMs),
    }
  return undefined
}

function describeFull(
  { running, slotsByCap }: { running: number; slotsByCap: number },
  { maxSessions }: Limits,
  { freeMemoryBytes }: Load,
): string {
  if (slotsByCap <= 0) return `${describeCount(running)}; MAX_SESSIONS=${maxSessions} allows no more`
  const free = Math.floor(freeMemoryBytes / (1 << 20))
  return `${free} MB of memory are free, and a session needs about ${SESSION_MEMORY_BYTES >> 20} MB`
}

function describeCount(count: number): string {
  return count === 1 ? '1 session runs' : `${count} sessions run`
}

function describePlace(repository: string, count: number): string {
  const place = repository === '' ? 'without a repository' : 'in its repository'
  return `${describeCount(count)} ${place}`
}

function toTime(ms: number): string {
  return new Date(ms).toISOString()
}
