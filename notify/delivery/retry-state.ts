import path from 'node:path'
import { z } from 'zod'
import { readJson, writeAtomic } from '#host/fs'
import type { SendResult } from '../channels/send-result.ts'
import { type Channel, getChannelFolder } from '../outbox.ts'
import { computeBackoffMs, type DeliveryTiming } from './timing.ts'

/** Messages of one session that have been tried together, and are tried together until they are through or given up. */
const DeliveryAttempt = z.object({
  fileNames: z.array(z.string()),
  failures: z.int(),
  waitUntilMs: z.number(),
  /** It was refused in full, so now it goes shortened. */
  isShort: z.boolean(),
})

export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>

/** How a channel stands: what a deliverer must know of it again when the one before was killed. Times count from 1970. */
const RetryState = z.object({
  /** The whole channel rests until then. */
  pausedUntilMs: z.number(),
  /** Failures in a row, and the last two sessions they befell. */
  failures: z.int(),
  failingSessions: z.array(z.string()),
  /** Of the bucket: how many could go at once, when they were last counted. */
  tokens: z.number(),
  tokensCountedAtMs: z.number(),
  /** By session. */
  attempts: z.record(z.string(), DeliveryAttempt),
  sentAt: z.number().nullable(),
  lastFailure: z.object({ at: z.number(), reason: z.string() }).nullable(),
})

export type RetryState = z.infer<typeof RetryState>

/** How the channel stood when that was last written down; nothing is held against it when it does not read. */
export function readRetryState(home: string, channel: Channel): RetryState {
  const fresh = {
    pausedUntilMs: 0,
    failures: 0,
    failingSessions: [],
    tokens: Number.MAX_SAFE_INTEGER,
    tokensCountedAtMs: 0,
    attempts: {},
  }
  return (
    RetryState.safeParse(readJson(getStateFile(home, channel))).data ?? { ...fresh, sentAt: null, lastFailure: null }
  )
}

export function writeRetryState(home: string, channel: Channel, retryState: RetryState): void {
  writeAtomic(getStateFile(home, channel), JSON.stringify(retryState))
}

/** How many may go now: those of last time and one more for each while since then, up to the bucket's size. Pure. */
export function computeTokens(
  { tokens, tokensCountedAtMs }: RetryState,
  { burstSize, refillMs }: DeliveryTiming,
  now: number,
): number {
  if (refillMs === 0 || now < tokensCountedAtMs) return burstSize // A clock that was set back must not stop anybody.
  return Math.min(burstSize, tokens + (now - tokensCountedAtMs) / refillMs)
}

/** The server took something, so it is well. */
export function recordSuccess(retryState: RetryState, now: number): void {
  retryState.pausedUntilMs = 0
  retryState.failures = 0
  retryState.failingSessions = []
  retryState.sentAt = now
}

/** The server wants us slower: it says for how long, or we guess. */
export function recordBusy(retryState: RetryState, { retryAfterMs }: SendResult, { pace, now }: TimingAt): void {
  retryState.failures++
  const wait = Math.max(retryAfterMs ?? 0, computeBackoffMs(retryState.failures, pace)) // A server that says 0 has no hurry either.
  retryState.pausedUntilMs = now + Math.min(wait, pace.maxWaitMs)
}

/**
 * Wait, and longer each time. A server that answered has perhaps something against this one message, so the next session
 * gets its turn first; no answer at all, or two sessions that fail, and the whole channel rests.
 */
export function recordUnreachable(
  retryState: RetryState,
  sessionId: string,
  { status, retryAfterMs = 0 }: SendResult,
  { pace, now }: TimingAt,
): void {
  const tried = retryState.attempts[sessionId]
  retryState.failures++
  retryState.failingSessions = [...retryState.failingSessions.filter(each => each !== sessionId), sessionId].slice(-2)
  if (tried) tried.failures++
  const isDown = status === undefined || retryState.failingSessions.length > 1
  const failures = isDown ? retryState.failures : (tried?.failures ?? 1)
  const until = now + Math.max(Math.min(retryAfterMs, pace.maxWaitMs), computeBackoffMs(failures, pace))
  if (isDown) retryState.pausedUntilMs = until
  else if (tried) tried.waitUntilMs = until
}

/** No wait is longer than patience: one that is was written by a clock that has been set back since. */
export function clearImpossibleWaits(retryState: RetryState, { pace, now }: TimingAt): void {
  const latest = now + pace.maxWaitMs
  if (retryState.pausedUntilMs > latest) retryState.pausedUntilMs = 0
  for (const attempt of Object.values(retryState.attempts)) if (attempt.waitUntilMs > latest) attempt.waitUntilMs = 0
}

interface TimingAt {
  pace: DeliveryTiming
  now: number
}

function getStateFile(home: string, channel: Channel): string {
  return path.join(getChannelFolder(home, channel), 'retry-state.json')
}
