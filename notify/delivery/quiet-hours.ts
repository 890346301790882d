import type { QueuedNotification } from '../outbox.ts'
/**
 * Until when a message waits because people sleep, in milliseconds of the epoch; undefined when it may go now. Never beyond
 * its `latest`. Quiet hours are times on the clock of this machine and may cross midnight; both ends are asked of the
 * calendar, so that they are right on the two days a year that have not 24 hours. Pure but for the time zone.
 */
export function quietUntil(
  { deliverBy }: Pick<QueuedNotification, 'deliverBy'>,
  quietHours: string,
  now: number,
): number | undefined {
  const end = findQuietEnd(quietHours, now)
  if (end === undefined) return undefined
  const until = deliverBy === null ? end : Math.min(end, Date.parse(deliverBy))
  return until > now ? until : undefined
}

/** The end of the quiet hours that hold `now`, if any do. */
function findQuietEnd(quietHours: string, now: number): number | undefined {
  const [from, to] = quietHours.split('-').map(time => time.split(':').map(Number))
  if (from === undefined || to === undefined) return undefined
  const crosses = toMinutes(to) < toMinutes(from)
  for (const day of [-1, 0]) {
    const end = toTimeOnDay(now, crosses ? day + 1 : day, to)
    if (toTimeOnDay(now, day, from) <= now && now < end) return end
  }
  return undefined
}

function toMinutes([hour = 0, minute = 0]: number[]): number {
  return hour * 60 + minute
}

/** That time of day, so many days after the day of `now`. */
function toTimeOnDay(now: number, days: number, [hour = 0, minute = 0]: number[]): number {
  const day = new Date(now)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hour, minute).getTime()
}
