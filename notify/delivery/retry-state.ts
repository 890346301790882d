import path from 'node:path'
import { z } from 'zod'
import { readJson, writeAtomic } from '#host/fs'
import type { SendResult } from '../channels/send-result.ts'
import { type Channel, getChannelFolder } from '../outbox.ts'
import { computeBackoffMs, type DeliveryTiming } from './timing.ts'

/** A batch that was tried. It stays one batch until it is sent or given up. */
const DeliveryAttempt = z.object({
  fileNames: z.array(z.string()),
  failures: z.int(),
  waitUntilMs: z.number(),
  /** The server refused the full text, so the next attempt is shorter. */
  isShort: z.boolean(),
})

export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>

/** What a deliverer must know about a channel after the previous one was killed. Times are milliseconds since 1970. */
const RetryState = z.object({
  /** The whole channel waits until then. */
  pausedUntilMs: z.number(),
  /** Failures in a row, and the last two sessions that failed. */
  failures: z.int(),
  failingSessions: z.array(z.string()),
  /** The token bucket: how many could be sent at once, and when they were counted. */
  tokens: z.number(),
  tokensCountedAtMs: z.number(),
  /** By session. */
  attempts: z.record(z.string(), DeliveryAttempt),
  sentAt: z.number().nullable(),
  lastFailure: z.object({ at: z.number(), reason: z.string() }).nullable(),
})

export type RetryState = z.infer<typeof RetryState>

/** Read the state of a channel. A missing or damaged file counts as a fresh state. */
export function readRetryState(home: string, channel: Channel): RetryState {
  const fresh = {
    pausedUntilMs: 0,
    failures: 0,
    failingSessions: [],
    tokens: Number.MAX_SAFE_INTEGER,
    tokensCountedAtMs: 0,
    attempts: {},
    sentAt: null,
    lastFailure: null,
  }
  return RetryState.safeParse(readJson(getStateFile(home, channel))).data ?? fresh
}

export function writeRetryState(home: string, channel: Channel, state: RetryState): void {
  writeAtomic(getStateFile(home, channel), JSON.stringify(state))
}

/** How many may be sent now: those that were left, and one more per `refillMs` since then, up to `burstSize`. Pure. */
export function computeTokens(
  { tokens, tokensCountedAtMs }: RetryState,
  { burstSize, refillMs }: DeliveryTiming,
  now: number,
): number {
  if (refillMs === 0 || now < tokensCountedAtMs) return burstSize // A clock that was set back must not stop delivery.
  return Math.min(burstSize, tokens + (now - tokensCountedAtMs) / refillMs)
}

/** A success ends every wait of the channel. */
export function recordSuccess(state: RetryState, now: number): void {
  state.pausedUntilMs = 0
  state.failures = 0
  state.failingSessions = []
  state.sentAt = now
}

/** The server asks to slow down: for as long as it says, or for the usual backoff if that is longer. */
export function recordBusy(state: RetryState, { retryAfterMs = 0 }: SendResult, { timing, now }: TimingNow): void {
  state.failures++
  const waitMs = Math.max(retryAfterMs, computeBackoffMs(state.failures, timing))
  state.pausedUntilMs = now + Math.min(waitMs, timing.maxWaitMs)
}

/**
 * Wait longer after each failure. If the server answered, it may reject only this notification: only its session waits. If it
 * did not answer, or two sessions fail, the whole channel waits.
 */
export function recordUnreachable(
  state: RetryState,
  sessionId: string,
  { status, retryAfterMs = 0 }: SendResult,
  { timing, now }: TimingNow,
): void {
  const attempt = state.attempts[sessionId]
  state.failures++
  state.failingSessions = [...state.failingSessions.filter(id => id !== sessionId), sessionId].slice(-2)
  if (attempt) attempt.failures++
  const isChannelDown = status === undefined || state.failingSessions.length > 1
  const failures = isChannelDown ? state.failures : (attempt?.failures ?? 1)
  const waitMs = Math.max(Math.min(retryAfterMs, timing.maxWaitMs), computeBackoffMs(failures, timing))
  if (isChannelDown) state.pausedUntilMs = now + waitMs
  else if (attempt) attempt.waitUntilMs = now + waitMs
}

/** A wait longer than `maxWaitMs` was written by a clock that was set back since. It ends at once. */
export function clearImpossibleWaits(state: RetryState, { timing, now }: TimingNow): void {
  const latestMs = now + timing.maxWaitMs
  if (state.pausedUntilMs > latestMs) state.pausedUntilMs = 0
  for (const attempt of Object.values(state.attempts)) if (attempt.waitUntilMs > latestMs) attempt.waitUntilMs = 0
}

// --- internal ---

interface TimingNow {
  timing: DeliveryTiming
  now: number
}

function getStateFile(home: string, channel: Channel): string {
  return path.join(getChannelFolder(home, channel), 'retry-state.json')
}
