import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { defaultTiming } from '#notify'
import { classifySendResult, parseRetryAfterMs } from '#notify/channels/send-result.ts'
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
const fresh = () => readRetryState('/nonexistent', 'phone')
const measure = { pace: defaultTiming, now }

test('the waits are 1, 2, 4 … 300 s, and up to a quarter more', () => {
  const seconds = Array.from({ length: 11 }, (_, at) => computeBackoffMs(at + 1, defaultTiming, 0) / 1000)
  assert.deepEqual(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  assert.equal(computeBackoffMs(1, defaultTiming, 0.9999).toFixed(0), '1250')
  assert.ok(computeBackoffMs(4000, defaultTiming, 1) <= 375_000)
})

test('the bucket gives 10 at once and then one each 6 s, across a kill and a clock that was set back', () => {
  assert.equal(computeTokens(fresh(), defaultTiming, now), 10)
  const empty = { ...fresh(), tokens: 0, tokensCountedAtMs: now }
  assert.equal(computeTokens(empty, defaultTiming, now + 6000), 1)
  assert.equal(computeTokens(empty, defaultTiming, now + 3000), 0.5)
  assert.equal(computeTokens(empty, defaultTiming, now + 3600_000), 10)
  assert.equal(computeTokens(empty, defaultTiming, now - 3600_000), 10)
})

for (const [what, delivery, outcome] of [
  ['taken', { ok: true, status: 200 }, 'sent'],
  ['429', { ok: false, status: 429 }, 'busy'],
  ['no answer', { ok: false }, 'unreachable'],
  ['an answer of somebody else', { ok: false, status: 200 }, 'unreachable'],
  ['a redirect', { ok: false, status: 307 }, 'unreachable'],
  ['500', { ok: false, status: 500 }, 'unreachable'],
  ['507', { ok: false, status: 507 }, 'unreachable'],
  ['408', { ok: false, status: 408 }, 'unreachable'],
  ['425', { ok: false, status: 425 }, 'unreachable'],
  ['400', { ok: false, status: 400 }, 'refused'],
  ['403', { ok: false, status: 403 }, 'refused'],
  ['no notifier', { ok: false, isPermanent: true }, 'refused'],
] as const)
  test(`${what} comes to ${outcome}`, () =>
    assert.equal(classifySendResult({ channel: 'phone', reason: '', ...delivery }), outcome))

test('Retry-After reads as seconds or as a date', () => {
  assert.equal(parseRetryAfterMs('30', now), 30_000)
  assert.equal(parseRetryAfterMs(' 0 ', now), 0)
  const soon = Math.round(parseRetryAfterMs(new Date(now + 90_000).toUTCString(), now) ?? 0)
  assert.ok(soon > 88_000 && soon <= 90_000)
  assert.equal(parseRetryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT', now), 0)
  for (const nothing of [null, undefined, '', 'soon', '-5x']) assert.equal(parseRetryAfterMs(nothing, now), undefined)
})

test('one session that a server fails rests alone; a second one, or silence, and the channel rests', () => {
  const answered = { channel: 'phone', ok: false, reason: '', status: 500 } as const
  const standing = { ...fresh(), attempts: { a: tried(), b: tried() } }
  recordUnreachable(standing, 'a', answered, measure)
  assert.ok(standing.attempts.a.waitUntilMs > now)
  assert.equal(standing.pausedUntilMs, 0)
  recordUnreachable(standing, 'b', answered, measure)
  assert.ok(standing.pausedUntilMs >= now + 2000)
  assert.equal(standing.attempts.b.waitUntilMs, 0)
  recordSuccess(standing, now)
  assert.deepEqual([standing.pausedUntilMs, standing.failures, standing.failingSessions], [0, 0, []])
  recordUnreachable(standing, 'a', { channel: 'phone', ok: false, reason: '' }, measure)
  assert.ok(standing.pausedUntilMs >= now + 1000)
})

test('a Retry-After holds for an hour at most; without one a 429 backs off', () => {
  const standing = fresh()
  recordBusy(standing, { channel: 'phone', ok: false, reason: '', retryAfterMs: 90_000 }, measure)
  assert.equal(standing.pausedUntilMs, now + 90_000)
  recordBusy(standing, { channel: 'phone', ok: false, reason: '', retryAfterMs: 1e12 }, measure)
  assert.equal(standing.pausedUntilMs, now + 3600_000)
  recordBusy(standing, { channel: 'phone', ok: false, reason: '' }, measure)
  assert.ok(standing.pausedUntilMs >= now + 4000 && standing.pausedUntilMs <= now + 5000)
})

test('a wait from a clock that was ahead is forgotten', () => {
  const standing = { ...fresh(), pausedUntilMs: now + 1e9, attempts: { a: { ...tried(), waitUntilMs: now + 1e9 } } }
  clearImpossibleWaits(standing, measure)
  assert.deepEqual([standing.pausedUntilMs, standing.attempts.a.waitUntilMs], [0, 0])
})

test('a standing that does not read holds nothing against the channel', () => {
  const home = createHome()
  fs.mkdirSync(path.join(home, 'outbox/phone'), { recursive: true })
  for (const text of ['', '{', '{"until":"never"}', '[]']) {
    fs.writeFileSync(path.join(home, 'outbox/phone/retry-state.json'), text)
    assert.deepEqual(readRetryState(home, 'phone'), fresh())
  }
  fs.rmSync(home, { recursive: true })
})

function tried() {
  return { fileNames: [], failures: 0, waitUntilMs: 0, isShort: false }
}
