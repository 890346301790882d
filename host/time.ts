/** Durations in milliseconds. */
export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** Parse HTTP's Retry-After, which has seconds or a date, into milliseconds; undefined if it has neither. Pure. */
export function parseRetryAfterMs(retryAfter: string | null | undefined, now: number): number | undefined {
  if (retryAfter == null) return undefined
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * SECOND_MS
  const date = Date.parse(retryAfter)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
