import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AwakeClock } from '#host/awake-clock.ts'
import { TimeLimit } from '#runner/time-limit.ts'
import { initialStatus, type SessionStatus } from '#session/status'
import { createTestContext } from '../fixtures/runner-context.ts'

const HOUR_MS = 3_600_000
const working: SessionStatus = { ...initialStatus, phase: 'working', lastSeq: 1 }

test('a session that has worked for too long asks, and an answer gives it as long again', t => {
  let nowMs = 0
  const clock = new AwakeClock(() => nowMs)
  const context = Object.assign(createTestContext(t, {}, { SESSION_TIMEOUT_SEC: 7200 }), { clock })
  const limit = new TimeLimit()
  const workFor = (hours: number) => {
    for (let step = 0; step < hours * 180; step++) {
      nowMs += HOUR_MS / 180
      context.clock.read()
      const lastEventAt = new Date().toISOString()
      context.status = { ...context.status, workedMs: context.status.workedMs + HOUR_MS / 180, lastEventAt }
      limit.check(context)
      if (context.status.phase === 'needs you') return step
    }
    return undefined
  }
  context.status = { ...working, lastEventAt: new Date().toISOString() }
  limit.check(context)
  assert.equal(workFor(1.9), undefined)
  assert.notEqual(workFor(0.3), undefined)
  assert.ok(context.status.isTimeUp)
  context.status = { ...context.status, phase: 'working', isTimeUp: false, workedMs: 0 }
  limit.check(context)
  assert.equal(workFor(1.9), undefined)
})

test('a wall clock that is set forward uses up no time', t => {
  const context = createTestContext(t, {}, { SESSION_TIMEOUT_SEC: 7200 })
  const limit = new TimeLimit()
  context.status = { ...working, lastEventAt: new Date().toISOString() }
  limit.check(context)
  context.status = { ...context.status, workedMs: 100 * HOUR_MS }
  limit.check(context)
  assert.equal(context.status.phase, 'working')
})
