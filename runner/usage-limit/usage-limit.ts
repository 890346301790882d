import { sha256 } from '#host/hash.ts'
import { isUnreachable, unreachableWords } from '#host/model'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { resolveTimeZone, toInstant, toLocalDateTime } from '#host/time-zone.ts'

/** The vendor's usage limit as it is worded, and when it ends if the text says so. */
export interface UsageLimit {
  reason: string
  resetsAt: Date | null
}

/**
 * Recognize the vendor's usage limit, or that the vendor is overloaded or has failed (5xx), in what claude reports. Recorded from claude 2.1.329
 * (`You've hit your 5-hour limit · resets 9:39am (UTC)`), with the forms of older versions. A limit without a time that can
 * be read is still a limit, and a model that is out of reach is not. `errorKind` is the `error` field of the hook. Pure.
 */
export function parseUsageLimit(errorKind: string, text: string, now: Date): UsageLimit | undefined {
  const isServerFailure = /\b5\d\d\b|\boverloaded\b/i.test(text) && !text.includes(unreachableWords)
  if (errorKind === 'overloaded' || (errorKind === 'server_error' && isServerFailure))
    return { reason: text, resetsAt: null }
  const isLimit =
    errorKind === 'rate_limit' || /\blimit reached\b|\b(?:hit|reached) (?:your|the)\b[^.]{0,40}\blimit\b/i.test(text)
  return isLimit ? { reason: text, resetsAt: parseResetTime(text, now) } : undefined
}

/**
 * The same, and also that the model cannot be reached, as when the network is gone at night: that passes by itself. Only once the
 * model has answered before; at the start it is an error. Pure.
 */
export function parseInterruption(errorKind: string, text: string, now: Date): UsageLimit | undefined {
  return parseUsageLimit(errorKind, text, now) ?? (isUnreachable(text) ? { reason: text, resetsAt: null } : undefined)
}

/** When to resume: up to a minute after the limit ends, so that the sessions of a machine do not all resume at once. Pure. */
export function computeResumeTimeMs(resetsAt: Date, sessionId: string): number {
  const byte = Number.parseInt(sha256(sessionId).slice(0, 2), 16)
  return resetsAt.getTime() + Math.round((byte / 255) * MINUTE_MS)
}

/**
 * When to try next after `sinceMs`: at the end of the limit, but at least once an hour, because a limit may be lifted early;
 * a minute later when it has just ended, then every five minutes; every half hour when its end is not known, and every ten minutes
 * while the model cannot be reached, which costs nothing. Pure.
 */
export function computeRetryTimeMs(
  { resetsAt, reason }: { resetsAt: string | null; reason: string },
  sinceMs: number,
  sessionId: string,
): number {
  if (resetsAt === null) return sinceMs + (isUnreachable(reason) ? UNREACHABLE_RETRY_MS : RETRY_INTERVAL_MS)
  const resumeMs = computeResumeTimeMs(new Date(resetsAt), sessionId)
  if (resumeMs > sinceMs) return Math.min(resumeMs, sinceMs + EARLY_RETRY_MS)
  return sinceMs + (sinceMs - resumeMs < OVERDUE_RETRY_MS ? MINUTE_MS : OVERDUE_RETRY_MS)
}

/** The kind of an error of a headless claude, by the status of the refused request; without one its text tells. Pure. */
export function guessErrorKind(text: string, status?: number | null): string {
  if (status === 429) return 'rate_limit'
  if (status === 529) return 'overloaded'
  if (/\b529\b|\boverloaded\b/i.test(text)) return 'overloaded'
  return /\b429\b/.test(text) ? 'rate_limit' : 'unknown'
}

/** What the orchestrator is sent then. */
export const resumeMessage = 'The model answers again. Go on where you stopped.'

/** True if the screen shows claude's menu at a limit with `Stop and wait` selected. Enter then changes nothing. Pure. */
export function isLimitDialog(screen: string): boolean {
  const lines = screen.replace(ansiStylePattern, '').trimEnd().split('\n').slice(-12)
  return lines.some(line => /^\s*❯ 1\. Stop and wait for (?:the )?limit to reset\s*$/.test(line))
}

// --- internal ---

/** For a limit without a known end. */
const RETRY_INTERVAL_MS = 30 * MINUTE_MS
const UNREACHABLE_RETRY_MS = 10 * MINUTE_MS
/** For a limit that should have ended. */
const OVERDUE_RETRY_MS = 5 * MINUTE_MS
/** For a limit that ends later than this. */
const EARLY_RETRY_MS = 60 * MINUTE_MS

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** A time without a date that passed this recently is today's, not tomorrow's. */
const RECENT_RESET_MS = 15 * MINUTE_MS

/** `resets 9:39am (UTC)`, `resets Jan 20, 2027, 7:36am (UTC)`, `reset at 7pm (Europe/London)`, `resets 3pm`. */
const resetTimePattern =
  /\bresets?(?: at| on)?:? (?:(?<month>[a-z]{3})[a-z]* (?<day>\d{1,2})(?:, (?<year>\d{4}))?(?:,| at|, at)? )?(?<hour>\d{1,2})(?::(?<minute>\d{2}))? ?(?<half>[ap]m)?(?![\d:])(?: \((?<zone>[^)]+)\))?/i

function parseResetTime(text: string, now: Date): Date | null {
  const epoch = /\blimit reached\|(\d{10})(\d{3})?\b/.exec(text)
  if (epoch) return new Date(Number(epoch[1]) * SECOND_MS)
  const groups = resetTimePattern.exec(text)?.groups ?? {}
  const time = parseTimeOfDay(groups)
  const zone = resolveTimeZone(groups['zone']) // Without a zone claude means that of the machine.
  if (time === undefined || zone === undefined) return null
  if (groups['month'] === undefined) return computeNextOccurrence(time, zone, now)
  const month = months.indexOf(groups['month'].toLowerCase())
  const day = Number(groups['day'])
  if (month < 0 || day < 1 || day > 31) return null
  const inYear = (year: number) => toInstant({ year, month, day, ...time }, zone)
  if (groups['year'] !== undefined) return inYear(Number(groups['year']))
  const thisYear = toLocalDateTime(now, zone).year
  const instant = inYear(thisYear)
  return instant.getTime() < now.getTime() - DAY_MS ? inYear(thisYear + 1) : instant
}

interface TimeOfDay {
  hour: number
  minute: number
}

/** `9:39am`, `3pm`, `15:20`. A bare number such as `resets 3` could be anything, so it is undefined. */
function parseTimeOfDay(groups: { [name: string]: string | undefined }): TimeOfDay | undefined {
  const half = groups['half']?.toLowerCase()
  if (groups['hour'] === undefined || (groups['minute'] === undefined && half === undefined)) return undefined
  const hour = Number(groups['hour'])
  const minute = Number(groups['minute'] ?? 0)
  if (minute > 59 || hour > (half ? 12 : 23) || (half && hour < 1)) return undefined
  return { hour: half ? (hour % 12) + (half === 'pm' ? 12 : 0) : hour, minute }
}

/** The next instant at which the zone's clocks show this time. One that passed a moment ago counts. */
function computeNextOccurrence(time: TimeOfDay, zone: string, now: Date): Date {
  const { year, month, day } = toLocalDateTime(now, zone)
  const instants = [-1, 0, 1, 2].map(days => toInstant({ year, month, day: day + days, ...time }, zone))
  return instants.find(instant => instant.getTime() >= now.getTime() - RECENT_RESET_MS) ?? now
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a style
const ansiStylePattern = /\u001b\[[0-9;]*m/g
