import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { computePauseMs, computeWaitEnd, parkRound } from '#runner/rounds/park.ts'
import type { JudgeFailure, JudgeFailureKind } from '#validator'
import { createTestContext } from '../../fixtures/runner-context.ts'

const fail = (kind: JudgeFailureKind, more: Partial<JudgeFailure> = {}): JudgeFailure => {
  return { ok: false, reason: 'HTTP 503', kind, ...more }
}

test('the pauses grow up to a quarter of an hour, and are short where the judge has little time', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 40].map(attempts => computePauseMs(attempts, 180) / MINUTE_MS),
    [1, 2, 5, 10, 15, 15, 15],
  )
  assert.deepEqual(
    [1, 2, 3].map(attempts => computePauseMs(attempts, 3) / SECOND_MS),
    [3, 6, 15],
  )
})

test('the judge is waited for until a deadline that is still to come, or for twelve hours', () => {
  const nowMs = Date.parse('2026-11-29T00:00:00.000Z')
  const table: [deadline: string | null, end: number][] = [
    [null, nowMs + 12 * HOUR_MS],
    ['2026-11-29T06:30:00.000Z', nowMs + 6.5 * HOUR_MS],
    ['2026-11-28T23:59:00.000Z', nowMs + 12 * HOUR_MS],
    ['2026-11-30T06:30:00.000Z', nowMs + 12 * HOUR_MS],
  ]
  for (const [deadline, end] of table) assert.equal(computeWaitEnd(deadline, nowMs), end, String(deadline))
})

test('a round is parked until the time for waiting is over', t => {
  const context = createTestContext(t)
  const startMs = Date.now()
  assert.ok(parkRound(context, 1, fail('overloaded'), startMs))
  const first = context.status.judgeWait
  assert.deepEqual([first?.attempts, first?.nextAt], [1, new Date(startMs + MINUTE_MS).toISOString()])
  assert.ok(parkRound(context, 1, fail('unreachable'), startMs + 2 * MINUTE_MS))
  assert.deepEqual([context.status.judgeWait?.attempts, context.status.judgeWait?.until], [2, first?.until])
  const lastMs = startMs + 12 * HOUR_MS
  assert.ok(parkRound(context, 1, fail('overloaded'), lastMs - 1000))
  assert.equal(context.status.judgeWait?.nextAt, first?.until, 'it is asked once more at the end')
  assert.ok(!parkRound(context, 1, fail('overloaded'), lastMs))
})

test('the vendor’s own pause is obeyed', t => {
  const context = createTestContext(t)
  const nowMs = Date.now()
  parkRound(context, 1, fail('quota spent', { retryAfterMs: HOUR_MS }), nowMs)
  assert.equal(context.status.judgeWait?.nextAt, new Date(nowMs + HOUR_MS).toISOString())
})

test('what cannot pass is not waited for, and neither are malformed answers for long', t => {
  const kinds: JudgeFailureKind[] = ['bad key', 'model missing', 'access denied', 'rejected', 'blocked', 'cut off']
  for (const kind of [...kinds, 'not believed' as const])
    assert.ok(!parkRound(createTestContext(t), 1, fail(kind)), kind)
  const context = createTestContext(t)
  for (let attempt = 1; attempt <= 5; attempt++) assert.ok(parkRound(context, 1, fail('malformed')), String(attempt))
  assert.ok(!parkRound(context, 1, fail('malformed')))
})
