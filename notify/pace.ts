/** How fast a deliverer goes; all times in milliseconds. */
export interface Pace {
  /** What one attempt may take before it is ended. */
  attempt: number
  /** How often the folders are read, hint or none. */
  rescan: number
  /** How long it stays when nothing waits any more. */
  linger: number
  /** The wait after a failure: the first, doubled each time, up to the last. */
  first: number
  last: number
  /** A server's Retry-After is followed so far. */
  patience: number
  /** A message that waited so long is given up. */
  age: number
  /** How many may go to the phone at once, and in which time one more. */
  burst: number
  refill: number
  /** A message on which nobody has to act waits so long for others. */
  settling: number
  /**
   * The messages of one session go as one when more than this wait, of it or in all, and the calm ones of more sessions than
   * this go as one together; null: each by itself.
   */
  together: { ofOne: number; inAll: number; sessions: number } | null
}

const second = 1000
const hour = 3600 * second

/** An ntfy server lets 60 pass at once and one each 5 s; this stays below. */
export const usual: Pace = {
  attempt: 10 * second,
  rescan: second,
  linger: 2 * second,
  first: second,
  last: 300 * second,
  patience: hour,
  age: 72 * hour,
  burst: 10,
  refill: 6 * second,
  settling: 2 * second,
  together: { ofOne: 3, inAll: 20, sessions: 3 },
}

/** The wait after so many failures in a row: 1, 2, 4 … 300 s and up to a quarter more, so that not all come back at once. */
export function backoff(failures: number, { first, last }: Pace, chance = Math.random()): number {
  return Math.min(last, first * 2 ** Math.max(0, failures - 1)) * (1 + chance / 4)
}
