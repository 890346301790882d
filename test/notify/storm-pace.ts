import { type Pace, usual } from '../../notify/index.ts'

/** The usual pace with its waits shortened a hundredfold; its bucket is the storm's own; `apart` sends each message by itself. */
export function stormPace(apart: boolean): Pace {
  return {
    ...usual,
    attempt: 1500,
    rescan: 50,
    linger: 200,
    first: 5,
    last: 60,
    patience: 500,
    refill: 0,
    together: apart ? null : usual.together,
  }
}
