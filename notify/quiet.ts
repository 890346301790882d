import type { Message } from './outbox.ts'

/**
 * Until when a message waits because people sleep, in milliseconds of the epoch; undefined when it may go now. Never beyond
 * its `latest`. Quiet hours are times on the clock of this machine and may cross midnight; both ends are asked of the
 * calendar, so that they are right on the two days a year that have not 24 hours. Pure but for the time zone.
 */
export function heldUntil({ latest }: Pick<Message, 'latest'>, quietHours: string, now: number): number | undefined {
  const end = quietUntil(quietHours, now)
  if (end === undefined) return undefined
  const until = latest === null ? end : Math.min(end, Date.parse(latest))
  return until > now ? until : undefined
}

/** The end of the quiet hours that hold `now`, if any do. */
function quietUntil(quietHours: string, now: number): number | undefined {
  const [from, to] = quietHours.split('-').map(time => time.split(':').map(Number))
  if (from === undefined || to === undefined) return undefined
  const crosses = minutes(to) < minutes(from)
  for (const day of [-1, 0]) {
    const end = onDay(now, crosses ? day + 1 : day, to)
    if (onDay(now, day, from) <= now && now < end) return end
  }
  return undefined
}

function minutes([hour = 0, minute = 0]: number[]): number {
  return hour * 60 + minute
}

/** That time of day, so many days after the day of `now`. */
function onDay(now: number, days: number, [hour = 0, minute = 0]: number[]): number {
  const day = new Date(now)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hour, minute).getTime()
}
