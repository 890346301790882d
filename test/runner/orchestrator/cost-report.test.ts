import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCostReport } from '#runner/orchestrator/cost-report.ts'

/** Recorded from claude 2.1.329, without what does not matter here. */
const recorded = {
  session_id: '1e4e8413-2192-4621-98b4-0cc36263b449',
  model: { id: 'claude-opus-5-5', display_name: 'Opus 5.5' },
  version: '2.1.329',
  cost: { total_cost_usd: 0.10200000000000001, total_duration_ms: 25770, total_api_duration_ms: 3579 },
}

test("claude's own figure is read, and that it guesses where it cannot know a price", () => {
  const parse = (changes: object) => parseCostReport(JSON.stringify({ ...recorded, ...changes }))
  assert.deepEqual(parse({}), { usd: 0.10200000000000001, unpricedModel: undefined })
  assert.equal(parse({ model: { id: 'us.anthropic.claude-opus-5-5-v1:0' } })?.unpricedModel, undefined)
  assert.equal(parse({ model: { id: 'kimi-k2' } })?.unpricedModel, 'kimi-k2')
})

test('anything else is no report', () => {
  const costs = ['-1', '"1"', '1e305', '1e999', 'null', '{}']
  for (const text of ['', '{"cost":', ...costs.map(usd => `{"model":{"id":"x"},"cost":{"total_cost_usd":${usd}}}`)])
    assert.equal(parseCostReport(text), undefined, text)
})
