/** How fast a deliverer goes; all times in milliseconds. */
export interface DeliveryTiming {
  /** What one attempt may take before it is ended. */
  attemptTimeoutMs: number
  /** How often the folders are read, hint or none. */
  rescanMs: number
  /** How long it stays when nothing waits any more. */
  lingerMs: number
  /** The wait after a failure: the first, doubled each time, up to the last. */
  firstBackoffMs: number
  maxBackoffMs: number
  /** A server's Retry-After is followed so far. */
  maxWaitMs: number
  /** A message that waited so long is given up. */
  maxAgeMs: number
  /** How many may go to the phone at once, and in which time one more. */
  burstSize: number
  refillMs: number
  /** A message on which nobody has to act waits so long for others. */
  settleMs: number
  /**
   * The messages of one session go as one when more than this wait, of it or in all, and the calm ones of more sessions than
   * this go as one together; null: each by itself.
   */
  batching: { perSession: number; total: number; sessions: number } | null
}

const SECOND_MS = 1000
const HOUR_MS = 3600 * SECOND_MS

/** An ntfy server lets 60 pass at once and one each 5 s; this stays below. */
export const defaultTiming: DeliveryTiming = {
  attemptTimeoutMs: 10 * SECOND_MS,
  rescanMs: SECOND_MS,
  lingerMs: 2 * SECOND_MS,
  firstBackoffMs: SECOND_MS,
  maxBackoffMs: 300 * SECOND_MS,
  maxWaitMs: HOUR_MS,
  maxAgeMs: 72 * HOUR_MS,
  burstSize: 10,
  refillMs: 6 * SECOND_MS,
  settleMs: 2 * SECOND_MS,
  batching: { perSession: 3, total: 20, sessions: 3 },
}

/** The wait after so many failures in a row: 1, 2, 4 … 300 s and up to a quarter more, so that not all come back at once. */
export function computeBackoffMs(
  failures: number,
  { firstBackoffMs, maxBackoffMs }: DeliveryTiming,
  chance = Math.random(),
): number {
  return Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.max(0, failures - 1)) * (1 + chance / 4)
}
