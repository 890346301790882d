import { type DeliveryTiming, defaultTiming } from '../../notify/index.ts'

/** The usual pace with its waits shortened a hundredfold; its bucket is the storm's own; `apart` sends each message by itself. */
export function buildStormTiming(apart: boolean): DeliveryTiming {
  return {
    ...defaultTiming,
    attemptTimeoutMs: 1500,
    rescanMs: 50,
    lingerMs: 200,
    firstBackoffMs: 5,
    maxBackoffMs: 60,
    maxWaitMs: 500,
    refillMs: 0,
    batching: apart ? null : defaultTiming.batching,
  }
}
