import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addUpCost, describeCost, type WorkerStatus } from '#session/status'

test('the cost of a session is that of all its agents, and a guess is called one', () => {
  const workers = [{ costUsd: 0.5 }, { costUsd: null }, {}] as WorkerStatus[]
  const orchestratorCost = { usd: 0.25, runUsd: 0.1, unpricedModel: undefined }
  assert.equal(describeCost({ workers: [] }), undefined)
  assert.equal(describeCost({ workers })?.parts, 'orchestrator not reported, workers $0.50')
  assert.equal(addUpCost({ workers, orchestratorCost }).usd, 0.75)
  assert.deepEqual(describeCost({ workers, orchestratorCost }), {
    total: '$0.75',
    parts: 'orchestrator $0.25, workers $0.50',
  })
  const guessed = { ...orchestratorCost, unpricedModel: 'kimi-k2' }
  assert.match(describeCost({ workers, orchestratorCost: guessed })?.parts ?? '', /a guess: .* kimi-k2/)
})
