import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MINUTE_MS } from '#host/time.ts'
import { findWorkerLimit, isHeldByLimit, parkWorker } from '#runner/usage-limit/worker.ts'
import type { Event, EventBody } from '#session/log'
import { computeStatus } from '#session/status'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

const createLoggedEvents = (bodies: EventBody[]) =>
  bodies.map((body, index) => ({ ...body, seq: index + 1, time: `2026-11-29T10:0${index}:00.000Z` }) as Event)

const queued = (worker: string, model: string): EventBody => ({
  type: 'worker.queued',
  worker,
  kind: 'code',
  model,
  clauses: [],
  files: [],
  blockedBy: null,
})

it('the result of a worker tells a limit from other errors', () => {
  const find = (result: string, is_error = true) => findWorkerLimit({ is_error, result })?.reason
  assert.ok(find("You've hit your Opus limit · resets 3am (UTC)"))
  assert.ok(find('API Error: Repeated 529 Overloaded errors.'))
  assert.ok(find('API Error: 429 slow down'))
  assert.equal(find('API Error: 500 internal'), undefined)
  assert.equal(find("You've hit your Opus limit", false), undefined, 'a worker may write about limits')
  assert.equal(findWorkerLimit(undefined), undefined)
})

it('the status of the refused request tells a limit in whatever words', () => {
  const find = (result: string, api_error_status: number) =>
    findWorkerLimit({ is_error: true, result, api_error_status })
  assert.ok(find('API Error: Server is temporarily limiting requests (not your usage limit)', 429))
  assert.ok(find('Opus is experiencing high load. Switch to Sonnet.', 529))
  const credits = find("You're out of usage credits · resets 3pm (UTC) · progress saved", 429)
  assert.equal(credits?.resetsAt?.getUTCHours(), 15)
  assert.equal(find('API Error: prompt is too long', 400), undefined)
})

it('a parked worker is queued again, with its commit and its cost', () => {
  const commit = 'a'.repeat(40)
  const status = computeStatus(
    createLoggedEvents([
      queued('one', 'opus'),
      { type: 'worker.started', worker: 'one' },
      { type: 'worker.parked', worker: 'one', reason: 'limit', resetsAt: null, commit, costUsd: 1 },
      { type: 'usage-limit.reached', reason: 'limit', resetsAt: null, worker: 'one' },
    ]),
  )
  const [worker] = status.workers
  assert.deepEqual([worker?.startedAt, worker?.endedAt, worker?.costUsd], [undefined, undefined, 1])
  assert.equal(status.acceptedCommit, commit)
  assert.equal(status.usageLimit?.worker, 'one')
})

it('workers of a model wait for the end of its limit, and those of another do not', () => {
  const events = createLoggedEvents([
    queued('one', 'opus'),
    queued('two', 'opus'),
    queued('three', 'sonnet'),
    { type: 'worker.started', worker: 'one' },
    { type: 'worker.parked', worker: 'one', reason: 'limit', resetsAt: null, commit: null, costUsd: null },
  ])
  const status = computeStatus(events)
  const parkedAtMs = Date.parse(events.at(-1)?.time ?? '')
  const held = (minutes: number) =>
    status.workers.map(worker =>
      isHeldByLimit({ status, session: { id: 'x' } } as never, worker, parkedAtMs + minutes * MINUTE_MS),
    )
  assert.deepEqual(held(29), [true, true, false])
  assert.deepEqual(held(31), [false, false, false])
  assert.deepEqual(held(-600), [false, false, false], 'the clock was set back')
})

it('the end of a parked worker ends its limit, and is not parked again', () => {
  const status = computeStatus(
    createLoggedEvents([
      queued('one', 'opus'),
      { type: 'worker.parked', worker: 'one', reason: 'limit', resetsAt: null, commit: null, costUsd: 1 },
      { type: 'usage-limit.reached', reason: 'limit', resetsAt: null, worker: 'one' },
      {
        type: 'worker.ended',
        worker: 'one',
        ending: 'stopped',
        reason: '',
        commit: null,
        changedFiles: 0,
        costUsd: null,
        seconds: 0,
      },
    ]),
  )
  assert.equal(status.usageLimit, null)
  assert.equal(status.workers[0]?.costUsd, 1)
})

it('a limit of the orchestrator is not replaced by that of a worker, or it would never resume', t => {
  const { context, recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('StopFailure', { error: 'rate_limit' })
  parkWorker(context, 'one', { reason: 'limit', resetsAt: new Date() }, { commit: null, costUsd: null })
  assert.equal(recorded.filter(({ type }) => type === 'usage-limit.reached').length, 1)
  assert.equal(context.status.usageLimit?.worker, undefined)
})

it('a limit that a worker met first is the orchestrator’s too once it meets it', t => {
  const { context, sendHookEvent } = createWatchedSession(t)
  parkWorker(context, 'one', { reason: 'limit', resetsAt: null }, { commit: null, costUsd: null })
  assert.equal(context.status.usageLimit?.worker, 'one')
  sendHookEvent('StopFailure', { error: 'rate_limit' })
  assert.equal(context.status.usageLimit?.worker, undefined)
})
