import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { AwakeClock } from '#host/awake-clock.ts'
import { computeRemainingUsd, watchBudget } from '#runner/workers/budget.ts'
import { InFlightCost, recordUnreportedCost } from '#runner/workers/in-flight.ts'
import { startQueuedWorkers } from '#runner/workers/start.ts'
import { addUpCost, describeCost } from '#session/status'
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

/** A worker that runs, and answers of its model in the transcript of its claude: each 100,000 tokens in, for $0.40. */
function runWorker(t: TestContext, settings: object = {}) {
  const { context, recorded } = createWatchedSession(t)
  Object.assign(context.config, settings)
  context.session.manifest.loginKind = 'key' // So that the worker's claude has a folder of its own.
  const { folder, stream, claudeFolder } = context.session.paths.worker('hello')
  const transcript = path.join(claudeFolder, 'projects/here/a-session.jsonl')
  for (const made of [folder, path.dirname(transcript)]) fs.mkdirSync(made, { recursive: true })
  fs.writeFileSync(stream, '{"type":"system","subtype":"init","session_id":"a-session"}\n')
  context.record({ type: 'worker.started', worker: 'hello' })
  recorded.length = 0
  let nowMs = 0
  const clock = new AwakeClock(() => nowMs)
  const cost = new InFlightCost()
  /** Each answer has two lines, as claude writes one for each part. */
  const answer = (id: string, seconds: number) => {
    const usage = { input_tokens: 1e5, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
    const line = JSON.stringify({ type: 'assistant', message: { id, model: 'claude-opus-5-5', usage } })
    fs.appendFileSync(transcript, `${line}\n${line}\n`)
    for (let second = 0; second < seconds; second += 10) {
      nowMs += 10_000 // A longer step would count as sleep.
      clock.read()
    }
    cost.check({ ...context, status: context.status, clock })
  }
  return { context, recorded, answer }
}

test('what a running worker has cost is estimated once a minute, and the budget counts it', t => {
  const { context, recorded, answer } = runWorker(t, { BUDGET_USD: 1.5 })
  for (const id of ['one', 'two']) answer(id, 10)
  const estimate = { type: 'cost.estimated', worker: 'hello', outputTokens: 0 }
  assert.deepEqual(recorded, [{ ...estimate, usd: 0.4, inputTokens: 1e5 }])
  answer('three', 60)
  assert.deepEqual(recorded.slice(1), [{ ...estimate, usd: 1.2, inputTokens: 3e5 }])
  assert.equal(computeRemainingUsd(context)?.toFixed(2), '0.30')
  assert.match(describeCost(context.status)?.parts ?? '', /workers \$1\.20 \(\$1\.20 of it estimated\)/)
  answer('four', 10)
  assert.equal(recorded.length, 3, 'what spends the budget is recorded at once')
  watchBudget(context)
  assert.deepEqual(recorded.at(-1), { type: 'budget.reached', spentUsd: 1.6, budgetUsd: 1.5 })
})

test('an attempt that was cut off counts with its estimate, and what claude reports takes the place of one', t => {
  const { context, answer } = runWorker(t)
  answer('one', 10)
  const [worker] = context.status.workers
  assert.ok(worker)
  recordUnreportedCost(context, worker)
  context.record({ type: 'worker.interrupted', worker: 'hello', attempt: 1, reason: 'killed' })
  assert.deepEqual([addUpCost(context.status).usd, context.status.workers[0]?.inFlightUsd], [0.4, undefined])
  context.record({ type: 'worker.started', worker: 'hello' })
  context.record({ type: 'cost.estimated', worker: 'hello', usd: 5, inputTokens: 1, outputTokens: 1 })
  const end = { reason: '', commit: null, changedFiles: 0, seconds: 1 }
  context.record({ type: 'worker.ended', worker: 'hello', ending: 'reported', costUsd: 0.25, ...end })
  const { usd, estimatedUsd } = addUpCost(context.status)
  assert.deepEqual([usd, estimatedUsd], [0.65, 0.4])
})
