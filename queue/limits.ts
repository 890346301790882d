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

/** How things stand. */
export interface Load {
  pause: Pause | undefined
  /** How many sessions have processes, by repository; `''` is work without one. */
  sessionsByRepository: Record<string, number>
  freeMemoryBytes: number
  /** The attempts of the last 24 hours, oldest first. */
  starts: { at: string; isFailed: boolean }[]
  /** What all sessions have cost in the last 24 hours. */
  usd: number
}

/** How many may start now, and which limit holds back the rest: what it is, when it ends if that is known, and what lifts it. */
export interface Room {
  slots: number
  roomByRepository: Record<string, number>
  defaultRoom: number
  reason: string
  /** ISO 8601. Null: when a session ends, or when a person lifts it. */
  until: string | null
}

/** The memory of a session with its agents: claude's processes and dispatch's own. */
export const SESSION_MEMORY_BYTES = 600 << 20

/** Decide how many sessions may start. Pure. */
export function computeRoom(limits: Limits, load: Load, now: Date): Room {
  const { sessionsByRepository } = load
  const running = Object.values(sessionsByRepository).reduce((sum, count) => sum + count, 0)
  const slotsByMemory = Math.floor(load.freeMemoryBytes / SESSION_MEMORY_BYTES)
  const slotsByCap = limits.maxSessions === 0 ? Number.POSITIVE_INFINITY : limits.maxSessions - running
  const closed = findClosedDoor(limits, load, now)
  const slots = closed ? 0 : Math.max(0, Math.min(slotsByMemory, slotsByCap, limits.staggerSeconds > 0 ? 1 : Infinity))
  return {
    slots,
    roomByRepository: computeRoomByRepository(limits, sessionsByRepository),
    defaultRoom: limits.maxSessionsPerProject,
    reason: closed?.reason ?? (slots > 0 ? '' : describeFull({ running, slotsByCap }, limits, load)),
    until: closed?.until ?? null,
  }
}

// --- internal ---

const FAILED_START_REST_MS = 5 * MINUTE_MS

function computeRoomByRepository(
  { maxSessionsPerProject, maxSessionsByRepository = {} }: Limits,
  counts: Record<string, number>,
): Record<string, number> {
  const names = Object.keys({ ...counts, ...maxSessionsByRepository })
  return Object.fromEntries(
    names.map(name => [name, (maxSessionsByRepository[name] ?? maxSessionsPerProject) - (counts[name] ?? 0)]),
  )
}

/** What keeps everything from starting. */
function findClosedDoor(
  limits: Limits,
  { pause, starts, usd }: Load,
  now: Date,
): Pick<Room, 'reason' | 'until'> | undefined {
  const isFuture = (ms: number) => ms > now.getTime()
  if (pause)
    return {
      reason: `paused${pause.reason ? ` (${pause.reason})` : ''}; \`dispatch unpause\` ends it`,
      until: pause.until,
    }
  const lastFailed = starts.findLast(({ isFailed }) => isFailed)
  const restEndsMs = lastFailed ? Date.parse(lastFailed.at) + FAILED_START_REST_MS : 0
  if (isFuture(restEndsMs))
    return { reason: 'a start has failed, so the queue rests for five minutes', until: toTime(restEndsMs) }
  if (starts.length >= limits.maxStartsPerDay) {
    const [oldest] = starts.slice(-limits.maxStartsPerDay)
    const reason = `${starts.length} starts in 24 hours; MAX_STARTS_DAY=${limits.maxStartsPerDay} allows no more`
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
    return { reason: `STAGGER_SEC=${limits.staggerSeconds} after the last start`, until: toTime(staggerEndsMs) }
  return undefined
}

function describeFull(
  { running, slotsByCap }: { running: number; slotsByCap: number },
  { maxSessions }: Limits,
  { freeMemoryBytes }: Load,
): string {
  if (slotsByCap <= 0) return `${running} sessions run; MAX_SESSIONS=${maxSessions} allows no more`
  const free = Math.floor(freeMemoryBytes / (1 << 20))
  return `${free} MB of memory are free, and a session needs about ${SESSION_MEMORY_BYTES >> 20} MB`
}

function toTime(ms: number): string {
  return new Date(ms).toISOString()
}
