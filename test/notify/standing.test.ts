import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { outcomeOf, waitIn } from '../../notify/delivery.ts'
import { usual } from '../../notify/index.ts'
import { backoff } from '../../notify/pace.ts'
import { forgetImpossibleWaits, postpone, readStanding, slowDown, thrive, tokensAt } from '../../notify/standing.ts'
import { newHome } from './home.ts'

const now = Date.now()
const fresh = () => readStanding('/nonexistent', 'phone')
const measure = { pace: usual, now }

test('the waits are 1, 2, 4 … 300 s, and up to a quarter more', () => {
  const seconds = Array.from({ length: 11 }, (_, at) => backoff(at + 1, usual, 0) / 1000)
  assert.deepEqual(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  assert.equal(backoff(1, usual, 0.9999).toFixed(0), '1250')
  assert.ok(backoff(4000, usual, 1) <= 375_000)
})

test('the bucket gives 10 at once and then one each 6 s, across a kill and a clock that was set back', () => {
  assert.equal(tokensAt(fresh(), usual, now), 10)
  const empty = { ...fresh(), tokens: 0, counted: now }
  assert.equal(tokensAt(empty, usual, now + 6000), 1)
  assert.equal(tokensAt(empty, usual, now + 3000), 0.5)
  assert.equal(tokensAt(empty, usual, now + 3600_000), 10)
  assert.equal(tokensAt(empty, usual, now - 3600_000), 10)
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
  ['no notifier', { ok: false, hopeless: true }, 'refused'],
] as const)
  test(`${what} comes to ${outcome}`, () =>
    assert.equal(outcomeOf({ channel: 'phone', why: '', ...delivery }), outcome))

test('Retry-After reads as seconds or as a date', () => {
  assert.equal(waitIn('30', now), 30_000)
  assert.equal(waitIn(' 0 ', now), 0)
  const soon = Math.round(waitIn(new Date(now + 90_000).toUTCString(), now) ?? 0)
  assert.ok(soon > 88_000 && soon <= 90_000)
  assert.equal(waitIn('Wed, 21 Oct 2015 07:28:00 GMT', now), 0)
  for (const nothing of [null, undefined, '', 'soon', '-5x']) assert.equal(waitIn(nothing, now), undefined)
})

test('one session that a server fails rests alone; a second one, or silence, and the channel rests', () => {
  const answered = { channel: 'phone', ok: false, why: '', status: 500 } as const
  const standing = { ...fresh(), tries: { a: tried(), b: tried() } }
  postpone(standing, 'a', answered, measure)
  assert.ok(standing.tries.a.until > now)
  assert.equal(standing.until, 0)
  postpone(standing, 'b', answered, measure)
  assert.ok(standing.until >= now + 2000)
  assert.equal(standing.tries.b.until, 0)
  thrive(standing, now)
  assert.deepEqual([standing.until, standing.failures, standing.failing], [0, 0, []])
  postpone(standing, 'a', { channel: 'phone', ok: false, why: '' }, measure)
  assert.ok(standing.until >= now + 1000)
})

test('a Retry-After holds for an hour at most; without one a 429 backs off', () => {
  const standing = fresh()
  slowDown(standing, { channel: 'phone', ok: false, why: '', again: 90_000 }, measure)
  assert.equal(standing.until, now + 90_000)
  slowDown(standing, { channel: 'phone', ok: false, why: '', again: 1e12 }, measure)
  assert.equal(standing.until, now + 3600_000)
  slowDown(standing, { channel: 'phone', ok: false, why: '' }, measure)
  assert.ok(standing.until >= now + 4000 && standing.until <= now + 5000)
})

test('a wait from a clock that was ahead is forgotten', () => {
  const standing = { ...fresh(), until: now + 1e9, tries: { a: { ...tried(), until: now + 1e9 } } }
  forgetImpossibleWaits(standing, measure)
  assert.deepEqual([standing.until, standing.tries.a.until], [0, 0])
})

test('a standing that does not read holds nothing against the channel', () => {
  const home = newHome()
  fs.mkdirSync(path.join(home, 'outbox/phone'), { recursive: true })
  for (const text of ['', '{', '{"until":"never"}', '[]']) {
    fs.writeFileSync(path.join(home, 'outbox/phone/standing.json'), text)
    assert.deepEqual(readStanding(home, 'phone'), fresh())
  }
  fs.rmSync(home, { recursive: true })
})

function tried() {
  return { names: [], failures: 0, until: 0, short: false }
}
