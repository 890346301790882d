import { createHash } from 'node:crypto'

/** The vendor's usage limit, in its own words, and until when it holds where the words say so. */
export interface UsageLimit {
  reason: string
  until: Date | null
}

/**
 * Does claude stop here because of the vendor's limit, and until when? Recorded from 2.1.329 (`You've hit your 5-hour limit ·
 * resets 9:39am (UTC)`), with the forms of older ones. A limit that says no time we understand is one all the same.
 * `kind` is what the hook calls the error. Pure.
 */
export function parseUsageLimit(kind: string, words: string, now: Date): UsageLimit | undefined {
  const isLimit =
    kind === 'rate_limit' || /\blimit reached\b|\b(?:hit|reached) (?:your|the)\b[^.]{0,40}\blimit\b/i.test(words)
  return isLimit ? { reason: words, until: parseResetTime(words, now) } : undefined
}

/** When to go on: some seconds after the limit's end, and not every session of a machine at once. Pure. */
export function computeResumeTimeMs(until: Date, id: string): number {
  const [lot = 0] = createHash('sha256').update(id).digest()
  return until.getTime() + Math.round((lot / 255) * 60_000)
}

/** What the orchestrator is told then. */
export const resumeMessage = 'The usage limit is over. Go on where you stopped.'

/** Does claude's own question at a limit stand on this screen, with `Stop and wait` chosen? Its Enter asks for nothing. Pure. */
export function isLimitDialog(screen: string): boolean {
  const lines = screen.replace(ansiStylePattern, '').trimEnd().split('\n').slice(-12)
  return lines.some(line => /^\s*❯ 1\. Stop and wait for (?:the )?limit to reset\s*$/.test(line))
}

// --- internal ---

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** How long ago a time without a date may lie and still be today's: we ask again soon after it. */
const RECENT_RESET_MS = 15 * 60_000

const resetTimePattern =
  /\bresets?(?: at| on)?:? (?:(?<month>[a-z]{3})[a-z]* (?<day>\d{1,2})(?:, (?<year>\d{4}))?(?:,| at|, at)? )?(?<hour>\d{1,2})(?::(?<minute>\d{2}))? ?(?<half>[ap]m)?(?![\d:])(?: \((?<zone>[^)]+)\))?/i

function parseResetTime(words: string, now: Date): Date | null {
  const epoch = /\blimit reached\|(\d{10})(\d{3})?\b/.exec(words)
  if (epoch) return new Date(Number(epoch[1]) * 1000)
  const { month, day, year, hour, minute, half, zone } = resetTimePattern.exec(words)?.groups ?? {}
  const clock = parseTimeOfDay(hour, minute, half)
  const place = resolveTimeZone(zone)
  if (clock === undefined || place === undefined) return null
  if (month === undefined) return computeNextOccurrence(clock, place, now)
  const number = months.indexOf(month.toLowerCase())
  if (number < 0 || Number(day) < 1 || Number(day) > 31) return null
  const inYear = (at: number) => toInstant({ year: at, month: number, day: Number(day), ...clock }, place)
  if (year !== undefined) return inYear(Number(year))
  const here = toLocalDateTime(now, place).year
  const soon = inYear(here)
  return soon.getTime() < now.getTime() - 24 * 60 * 60_000 ? inYear(here + 1) : soon
}

interface TimeOfDay {
  hour: number
  minute: number
}

function parseTimeOfDay(
  hour: string | undefined,
  minute: string | undefined,
  half: string | undefined,
): TimeOfDay | undefined {
  if (hour === undefined || (minute === undefined && half === undefined)) return undefined // `resets 3` may be anything.
  const [read, minutes] = [Number(hour), Number(minute ?? 0)]
  if (minutes > 59 || read > (half ? 12 : 23) || (half && read < 1)) return undefined
  return { hour: half ? (read % 12) + (half.toLowerCase() === 'pm' ? 12 : 0) : read, minute: minutes }
}

/** A zone the calendar of this machine knows; claude names that of the machine, so none is ours. */
function resolveTimeZone(name: string | undefined): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', name === undefined ? {} : { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** The next time that a clock in that zone shows this; one that has only just passed counts. */
function computeNextOccurrence(clock: TimeOfDay, zone: string, now: Date): Date {
  const { year, month, day } = toLocalDateTime(now, zone)
  const at = [-1, 0, 1, 2].map(days => toInstant({ year, month, day: day + days, ...clock }, zone))
  return at.find(instant => instant.getTime() >= now.getTime() - RECENT_RESET_MS) ?? now
}

interface LocalDateTime extends TimeOfDay {
  year: number
  /** From 0, as in `Date`. */
  month: number
  day: number
}

/** What calendar and clock show there at that instant. */
function toLocalDateTime(instant: Date, zone: string): LocalDateTime {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(instant)
  const read = (type: string) => Number(parts.find(part => part.type === type)?.value)
  return { year: read('year'), month: read('month') - 1, day: read('day'), hour: read('hour'), minute: read('minute') }
}

/** The instant of a wall clock's time: the later one where it comes twice, and past the gap where it never comes. */
function toInstant({ year, month, day, hour, minute }: LocalDateTime, zone: string): Date {
  const plain = Date.UTC(year, month, day, hour, minute)
  const offsets = [-36, 36].map(hours => computeUtcOffsetMs(new Date(plain + hours * 60 * 60_000), zone))
  const candidates = offsets.map(offset => plain - offset)
  const exact = candidates.filter(at => at + computeUtcOffsetMs(new Date(at), zone) === plain)
  return new Date(Math.max(...(exact.length > 0 ? exact : candidates)))
}

/** How far that zone is ahead of UTC then, in milliseconds. */
function computeUtcOffsetMs(instant: Date, zone: string): number {
  const { year, month, day, hour, minute } = toLocalDateTime(instant, zone)
  return Date.UTC(year, month, day, hour, minute) - Math.floor(instant.getTime() / 60_000) * 60_000
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a style
const ansiStylePattern = /\u001b\[[0-9;]*m/g
