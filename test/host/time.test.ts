import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRetryAfterMs } from '#host/time.ts'

test('Retry-After has seconds or a date', () => {
  const now = Date.now()
  assert.equal(parseRetryAfterMs('30', now), 30_000)
  assert.equal(parseRetryAfterMs(' 0 ', now), 0)
  const waitMs = Math.round(parseRetryAfterMs(new Date(now + 90_000).toUTCString(), now) ?? 0)
  assert.ok(waitMs > 88_000 && waitMs <= 90_000)
  assert.equal(parseRetryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT', now), 0)
  for (const invalid of [null, undefined, '', 'soon', '-5x']) assert.equal(parseRetryAfterMs(invalid, now), undefined)
})
