import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { HOUR_MS } from '#host/time.ts'
import { defaultTiming } from '#notify'
import { classifySendResult, type SendResult } from '#notify/channels/send-result.ts'
import {
  clearImpossibleWaits,
  computeTokens,
  readRetryState,
  recordBusy,
  recordSuccess,
  recordUnreachable,
} from '#notify/delivery/retry-state.ts'
import { computeBackoffMs } from '#notify/delivery/timing.ts'
import { createHome } from '../../fixtures/notify-home.ts'

const now = Date.now()
const timingNow = { timing: defaultTiming, now }
const failed: SendResult = { ok: false, reason: '' }

test('the backoff is 1, 2, 4 … 300 s, and up to a quarter more', () => {
  const seconds = Array.from({ length: 11 }, (_, index) => computeBackoffMs(index + 1, defaultTiming, 0) / 1000)
  assert.deepEqual(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  assert.equal(computeBackoffMs(1, defaultTiming, 0.9999).toFixed(0), '1250')
  assert.ok(computeBackoffMs(4000, defaultTiming, 1) <= 375_000)
})

test('the bucket has 10 tokens and gets one each 6 s', () => {
  assert.equal(computeTokens(createState(), defaultTiming, now), 10)
  const empty = { ...createState(), tokens: 0, tokensCountedAtMs: now }
  assert.equal(computeTokens(empty, defaultTiming, now + 6000), 1)
  assert.equal(computeTokens(empty, defaultTiming, now + 3000), 0.5)
  assert.equal(computeTokens(empty, defaultTiming, now + HOUR_MS), 10)
  assert.equal(computeTokens(empty, defaultTiming, now - HOUR_MS), 10, 'the clock was set back')
})

for (const [what, result, expected] of [
  ['a success', { ok: true, status: 200 }, 'sent'],
  ['429', { ok: false, status: 429 }, 'busy'],
  ['no answer', { ok: false }, 'unreachable'],
  ['an answer that is not from ntfy', { ok: false, status: 200 }, 'unreachable'],
  ['a redirect', { ok: false, status: 307 }, 'unreachable'],
  ['500', { ok: false, status: 500 }, 'unreachable'],
  ['507', { ok: false, status: 507 }, 'unreachable'],
  ['408', { ok: false, status: 408 }, 'unreachable'],
  ['425', { ok: false, status: 425 }, 'unreachable'],
  ['400', { ok: false, status: 400 }, 'refused'],
  ['403', { ok: false, status: 403 }, 'refused'],
  ['a missing notifier', { ok: false, isPermanent: true }, 'refused'],
] as const)
  test(`${what} is classified as ${expected}`, () =>
    assert.equal(classifySendResult({ reason: '', ...result }), expected))

test('one failing session waits alone; a second one, or no answer, pauses the channel', () => {
  const answered: SendResult = { ...failed, status: 500 }
  const state = { ...createState(), attempts: { a: createAttempt(), b: createAttempt() } }
  recordUnreachable(state, 'a', answered, timingNow)
  assert.ok(state.attempts.a.waitUntilMs > now)
  assert.equal(state.pausedUntilMs, 0)
  recordUnreachable(state, 'b', answered, timingNow)
  assert.ok(state.pausedUntilMs >= now + 2000)
  assert.equal(state.attempts.b.waitUntilMs, 0)
  recordSuccess(state, now)
  assert.deepEqual([state.pausedUntilMs, state.failures, state.failingSessions], [0, 0, []])
  recordUnreachable(state, 'a', failed, timingNow)
  assert.ok(state.pausedUntilMs >= now + 1000)
})

test('a 429 waits for its Retry-After, at most an hour, or backs off', () => {
  const state = createState()
  recordBusy(state, { ...failed, retryAfterMs: 90_000 }, timingNow)
  assert.equal(state.pausedUntilMs, now + 90_000)
  recordBusy(state, { ...failed, retryAfterMs: 1e12 }, timingNow)
  assert.equal(state.pausedUntilMs, now + HOUR_MS)
  recordBusy(state, failed, timingNow)
  assert.ok(state.pausedUntilMs >= now + 4000 && state.pausedUntilMs <= now + 5000)
})

test('a wait from a clock that was ahead ends at once', () => {
  const attempts = { a: { ...createAttempt(), waitUntilMs: now + 1e9 } }
  const state = { ...createState(), pausedUntilMs: now + 1e9, attempts }
  clearImpossibleWaits(state, timingNow)
  assert.deepEqual([state.pausedUntilMs, state.attempts.a.waitUntilMs], [0, 0])
})

test('a damaged retry state counts as a fresh one', () => {
  const home = createHome()
  fs.mkdirSync(path.join(home, 'outbox/phone'), { recursive: true })
  for (const text of ['', '{', '{"pausedUntilMs":"never"}', '[]']) {
    fs.writeFileSync(path.join(home, 'outbox/phone/retry-state.json'), text)
    assert.deepEqual(readRetryState(home, 'phone'), createState())
  }
  fs.rmSync(home, { recursive: true })
})

function createState() {
  return readRetryState('/nonexistent', 'phone')
}

function createAttempt() {
  return { fileNames: [], failures: 0, waitUntilMs: 0, isShort: false }
}
