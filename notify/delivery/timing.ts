import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'

/** How fast a deliverer works. Tests use shorter times. */
export interface DeliveryTiming {
  /** The longest that one attempt may take. */
  attemptTimeoutMs: number
  /** How often the folders are read, also without a hint that they changed. */
  rescanMs: number
  /** How long the deliverer stays after the outbox is empty. */
  lingerMs: number
  /** The wait after the first failure. It doubles each time, up to the maximum. */
  firstBackoffMs: number
  maxBackoffMs: number
  /** The longest Retry-After that is followed. */
  maxWaitMs: number
  /** A notification that is older than this, and still fails, becomes a dead letter. */
  maxAgeMs: number
  /** How many may go to the phone at once, and how long until there is room for one more. */
  burstSize: number
  refillMs: number
  /** How long a notification that needs no action waits for others, so that a burst becomes one batch. */
  settleMs: number
  /**
   * When notifications become a batch: more than `perSession` of one session wait, or more than `total` in all, or more than
   * `sessions` sessions have some that need no action. Null: never.
   */
  batching: { perSession: number; total: number; sessions: number } | null
}

/** An ntfy server accepts 60 at once and then one each 5 s. This stays below that. */
export const defaultTiming: DeliveryTiming = {
  attemptTimeoutMs: 10 * SECOND_MS,
  rescanMs: SECOND_MS,
  lingerMs: 2 * SECOND_MS,
  firstBackoffMs: SECOND_MS,
  maxBackoffMs: 5 * MINUTE_MS,
  maxWaitMs: HOUR_MS,
  maxAgeMs: 72 * HOUR_MS,
  burstSize: 10,
  refillMs: 6 * SECOND_MS,
  settleMs: 2 * SECOND_MS,
  batching: { perSession: 3, total: 20, sessions: 3 },
}

/**
 * The wait after this many failures in a row: 1, 2, 4 … 300 s, and up to a quarter more, so that not all channels retry at
 * the same moment. `random` is between 0 and 1.
 */
export function computeBackoffMs(
  failures: number,
  { firstBackoffMs, maxBackoffMs }: DeliveryTiming,
  random = Math.random(),
): number {
  return Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.max(0, failures - 1)) * (1 + random / 4)
}
