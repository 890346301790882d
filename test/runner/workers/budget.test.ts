import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { startQueuedWorkers } from '#runner/workers/start.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

test('a queued worker ends without a start when the orchestrator has spent the budget', async t => {
  const { context, recorded } = createWatchedSession(t)
  Object.assign(context.config, { BUDGET_USD: 1 })
  fs.mkdirSync(context.session.paths.worker('hello').folder, { recursive: true })
  context.record({ type: 'cost.reported', usd: 1, runUsd: 1 })
  await startQueuedWorkers(context)
  const [ended] = recorded.flatMap(event => (event.type === 'worker.ended' ? [event] : []))
  assert.deepEqual([ended?.worker, ended?.ending], ['hello', 'stopped'])
  assert.match(ended?.reason ?? '', /^the budget is spent/)
  assert.deepEqual(recorded.map(({ type }) => type).includes('worker.started'), false)
})
