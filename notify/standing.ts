import path from 'node:path'
import { z } from 'zod'
import { readJson, writeAtomic } from '../host/index.ts'
import type { Delivery } from './delivery.ts'
import { type Channel, folderOf } from './outbox.ts'
import { backoff, type Pace } from './pace.ts'

/** Messages of one session that have been tried together, and are tried together until they are through or given up. */
const Try = z.object({
  names: z.array(z.string()),
  failures: z.int(),
  until: z.number(),
  /** It was refused in full, so now it goes shortened. */
  short: z.boolean(),
})

export type Try = z.infer<typeof Try>

/** How a channel stands: what a deliverer must know of it again when the one before was killed. Times count from 1970. */
const Standing = z.object({
  /** The whole channel rests until then. */
  until: z.number(),
  /** Failures in a row, and the last two sessions they befell. */
  failures: z.int(),
  failing: z.array(z.string()),
  /** Of the bucket: how many could go at once, when they were last counted. */
  tokens: z.number(),
  counted: z.number(),
  /** By session. */
  tries: z.record(z.string(), Try),
  sentAt: z.number().nullable(),
  trouble: z.object({ at: z.number(), why: z.string() }).nullable(),
})

export type Standing = z.infer<typeof Standing>

/** How the channel stood when that was last written down; nothing is held against it when it does not read. */
export function readStanding(home: string, channel: Channel): Standing {
  const fresh = { until: 0, failures: 0, failing: [], tokens: Number.MAX_SAFE_INTEGER, counted: 0, tries: {} }
  return Standing.safeParse(readJson(fileOf(home, channel))).data ?? { ...fresh, sentAt: null, trouble: null }
}

export function writeStanding(home: string, channel: Channel, standing: Standing): void {
  writeAtomic(fileOf(home, channel), JSON.stringify(standing))
}

/** How many may go now: those of last time and one more for each while since then, up to the bucket's size. Pure. */
export function tokensAt({ tokens, counted }: Standing, { burst, refill }: Pace, now: number): number {
  if (refill === 0 || now < counted) return burst // A clock that was set back must not stop anybody.
  return Math.min(burst, tokens + (now - counted) / refill)
}

/** The server took something, so it is well. */
export function thrive(standing: Standing, now: number): void {
  Object.assign(standing, { until: 0, failures: 0, failing: [], sentAt: now })
}

/** The server wants us slower: it says for how long, or we guess. */
export function slowDown(standing: Standing, { again }: Delivery, { pace, now }: Measure): void {
  standing.failures++
  const wait = Math.max(again ?? 0, backoff(standing.failures, pace)) // A server that says 0 has no hurry either.
  standing.until = now + Math.min(wait, pace.patience)
}

/**
 * Wait, and longer each time. A server that answered has perhaps something against this one message, so the next session
 * gets its turn first; no answer at all, or two sessions that fail, and the whole channel rests.
 */
export function postpone(
  standing: Standing,
  of: string,
  { status, again = 0 }: Delivery,
  { pace, now }: Measure,
): void {
  const tried = standing.tries[of]
  standing.failures++
  standing.failing = [...standing.failing.filter(each => each !== of), of].slice(-2)
  if (tried) tried.failures++
  const isDown = status === undefined || standing.failing.length > 1
  const failures = isDown ? standing.failures : (tried?.failures ?? 1)
  const until = now + Math.max(Math.min(again, pace.patience), backoff(failures, pace))
  if (isDown) standing.until = until
  else if (tried) tried.until = until
}

/** No wait is longer than patience: one that is was written by a clock that has been set back since. */
export function forgetImpossibleWaits(standing: Standing, { pace, now }: Measure): void {
  for (const waiting of [standing, ...Object.values(standing.tries)])
    if (waiting.until > now + pace.patience) waiting.until = 0
}

interface Measure {
  pace: Pace
  now: number
}

function fileOf(home: string, channel: Channel): string {
  return path.join(folderOf(home, channel), 'standing.json')
}
