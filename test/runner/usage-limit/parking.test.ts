import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MINUTE_MS } from '#host/time.ts'
import { ResumeTimer } from '#runner/usage-limit/parking.ts'
import { resumeMessage } from '#runner/usage-limit/usage-limit.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

const limit = { error: 'rate_limit', last_assistant_message: "You've hit your 5-hour limit · resets 9:39am (UTC)" }

it('a usage limit is recorded once, and is the only error that calls no person', t => {
  const { recorded, sendHookEvent, context } = createWatchedSession(t)
  sendHookEvent('StopFailure', limit)
  sendHookEvent('StopFailure', limit)
  assert.deepEqual(
    recorded.map(({ type }) => type),
    ['usage-limit.reached'],
  )
  const laterLimit = "You've hit your weekly limit · resets Jan 20, 2031, 7am (UTC)"
  sendHookEvent('StopFailure', { ...limit, last_assistant_message: laterLimit })
  assert.equal(context.status.usageLimit?.resetsAt, '2031-01-20T07:00:00.000Z')
  sendHookEvent('UserPromptSubmit', { prompt: resumeMessage })
  assert.ok(context.status.usageLimit, 'a prompt alone proves nothing')
  sendHookEvent('Stop', { last_assistant_message: 'on it' })
  assert.deepEqual(
    recorded.slice(1).map(event => (event.type === 'usage-limit.lifted' ? event.source : event.type)),
    ['usage-limit.reached', 'the clock', 'turn.ended'],
  )
  sendHookEvent('StopFailure', { error: 'authentication_failed', error_details: '401' })
  assert.equal(context.status.phase, 'needs you')
})

it('a worker’s limit is not the orchestrator’s', t => {
  const { recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('StopFailure', limit, 'hello')
  assert.deepEqual(recorded, [])
})

it('a limit without an end is tried every half hour', t => {
  const { context, sendHookEvent } = createWatchedSession(t)
  const nowMs = Date.now()
  const timer = new ResumeTimer()
  const isDue = (minutes: number) => timer.isDue(context, nowMs + minutes * MINUTE_MS)
  assert.ok(!isDue(0))
  sendHookEvent('StopFailure', { error: 'rate_limit' })
  assert.deepEqual([0, 29, 31].map(isDue), [false, false, true])
  timer.recordAttempt(context, nowMs + 31 * MINUTE_MS)
  assert.deepEqual([32, 60, 62].map(isDue), [false, false, true])
})

it('a model that cannot be reached any more calls no person, and is tried every ten minutes', t => {
  for (const text of [
    'API Error: 502 dispatch cannot reach the model at api.anthropic.com: ENOTFOUND',
    'API Error: Unable to connect to API (ECONNREFUSED)',
  ]) {
    const { context, sendHookEvent, recorded } = createWatchedSession(t)
    sendHookEvent('StopFailure', { error: 'server_error', last_assistant_message: text })
    assert.deepEqual(context.status.usageLimit, { reason: text, resetsAt: null })
    const nowMs = Date.now()
    const timer = new ResumeTimer()
    const isDue = (minutes: number) => timer.isDue(context, nowMs + minutes * MINUTE_MS)
    assert.deepEqual([0, 9, 11].map(isDue), [false, false, true])
    sendHookEvent('Stop', { last_assistant_message: 'on it' })
    assert.equal(context.status.usageLimit, null)
    assert.deepEqual(
      recorded.map(({ type }) => type),
      ['usage-limit.reached', 'usage-limit.lifted', 'turn.ended'],
    )
  }
})

it('a limit with an end is tried each hour, at its end, and every five minutes after it', t => {
  const { context } = createWatchedSession(t)
  const nowMs = Date.now()
  const timer = new ResumeTimer()
  const isDue = (minutes: number) => timer.isDue(context, nowMs + minutes * MINUTE_MS)
  const end = new Date(Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS + 120 * MINUTE_MS)
  context.record({ type: 'usage-limit.reached', reason: 'x', resetsAt: end.toISOString() })
  assert.deepEqual([0, 59, 61].map(isDue), [false, false, true], 'it may be lifted early')
  timer.recordAttempt(context, nowMs + 61 * MINUTE_MS)
  assert.deepEqual([62, 119, 123].map(isDue), [false, false, true])
  timer.recordAttempt(context, nowMs + 123 * MINUTE_MS)
  assert.deepEqual([123.5, 124.5].map(isDue), [false, true], 'it has just ended')
  timer.recordAttempt(context, nowMs + 130 * MINUTE_MS)
  assert.deepEqual([131, 134, 136].map(isDue), [false, false, true])
  context.record({ type: 'usage-limit.lifted', source: 'you' })
  assert.ok(!isDue(600))
})

it('a clock that is set back makes no wait longer', t => {
  const { context, sendHookEvent } = createWatchedSession(t)
  let uptimeMs = performance.now()
  t.mock.method(performance, 'now', () => uptimeMs)
  const nowMs = Date.now()
  const timer = new ResumeTimer()
  sendHookEvent('StopFailure', { error: 'rate_limit' })
  const setBackMs = nowMs - 600 * MINUTE_MS
  assert.ok(!timer.isDue(context, nowMs))
  uptimeMs += 29 * MINUTE_MS
  assert.ok(!timer.isDue(context, setBackMs))
  uptimeMs += 2 * MINUTE_MS
  assert.ok(timer.isDue(context, setBackMs))
})
