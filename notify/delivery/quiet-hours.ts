import type { QueuedNotification } from '../outbox.ts'

/**
 * Until when quiet hours hold a notification, in milliseconds since 1970; undefined if it may be sent now. They never hold it
 * beyond `deliverBy`. Quiet hours are local times of day and may cross midnight. Both ends come from the calendar, so they are
 * right on the two days a year that do not have 24 hours. Pure, apart from the time zone.
 */
export function computeQuietEndMs(
  { deliverBy }: Pick<QueuedNotification, 'deliverBy'>,
  quietHours: string,
  now: number,
): number | undefined {
  const endMs = findQuietEnd(quietHours, now)
  if (endMs === undefined) return undefined
  const untilMs = deliverBy === null ? endMs : Math.min(endMs, Date.parse(deliverBy))
  return untilMs > now ? untilMs : undefined
}

// --- internal ---

/** The end of the quiet hours that include `now`: those that began yesterday, or today. */
function findQuietEnd(quietHours: string, now: number): number | undefined {
  const [start, end] = quietHours.split('-').map(time => time.split(':').map(Number))
  if (start === undefined || end === undefined) return undefined
  const crossesMidnight = toMinutes(end) < toMinutes(start)
  for (const startDay of [-1, 0]) {
    const startMs = toTimeOnDay(now, startDay, start)
    const endMs = toTimeOnDay(now, crossesMidnight ? startDay + 1 : startDay, end)
    if (startMs <= now && now < endMs) return endMs
  }
  return undefined
}

function toMinutes([hour = 0, minute = 0]: number[]): number {
  return hour * 60 + minute
}

/** A time of day, `days` after the day of `now`. */
function toTimeOnDay(now: number, days: number, [hour = 0, minute = 0]: number[]): number {
  const date = new Date(now)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour, minute).getTime()
}
