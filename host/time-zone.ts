import { HOUR_MS, MINUTE_MS } from './time.ts'

/** What a calendar and a clock on the wall show. */
interface LocalDateTime {
  year: number
  /** From 0, as in `Date`. */
  month: number
  /** From 1. A day outside of the month counts into the next or the previous one, as in `Date`. */
  day: number
  hour: number
  minute: number
}

/** The canonical name of a time zone, or of this machine's zone without a name; undefined for an unknown name. */
export function resolveTimeZone(name?: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', name === undefined ? {} : { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** What calendar and clock show in a zone at an instant. */
export function toLocalDateTime(instant: Date, zone: string): LocalDateTime {
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

/**
 * The instant at which a zone's clocks show this. When clocks go back a time occurs twice: the later instant. When they
 * go forward a time is skipped: the same distance after the gap.
 */
export function toInstant({ year, month, day, hour, minute }: LocalDateTime, zone: string): Date {
  const localMs = Date.UTC(year, month, day, hour, minute)
  // The offsets well before and well after: around a change they differ, and one of them is right.
  const offsets = [-36, 36].map(hours => computeUtcOffsetMs(new Date(localMs + hours * HOUR_MS), zone))
  const candidates = offsets.map(offset => localMs - offset)
  const exact = candidates.filter(ms => ms + computeUtcOffsetMs(new Date(ms), zone) === localMs)
  return new Date(Math.max(...(exact.length > 0 ? exact : candidates)))
}

/** How far a zone is ahead of UTC at an instant. */
function computeUtcOffsetMs(instant: Date, zone: string): number {
  const { year, month, day, hour, minute } = toLocalDateTime(instant, zone)
  return Date.UTC(year, month, day, hour, minute) - Math.floor(instant.getTime() / MINUTE_MS) * MINUTE_MS
}
