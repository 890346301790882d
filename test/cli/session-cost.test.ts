import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokens, type SessionCost, sumByDay, sumCosts } from '#cli/session-cost.ts'

const answer = (id: string, model: string, input: number) =>
  JSON.stringify({
    type: 'assistant',
    message: { id, model, usage: { input_tokens: input, output_tokens: 1, cache_read_input_tokens: 'x' } },
  })

test('the tokens of each answer count once, in however many lines it is', () => {
  const lines = [
    answer('a', 'opus', 10),
    answer('a', 'opus', 12),
    answer('b', 'opus', 5),
    answer('c', 'haiku', 1),
    '{"type":"user","usage":1}',
    '{"type":"assistant","message":{"id":"d","model":"none","usage":{}}}',
    '{"torn "usage"',
  ]
  assert.deepEqual(countTokens(lines), [
    { model: 'opus', input: 17, output: 2, cacheRead: 0, cacheWrite: 0 },
    { model: 'haiku', input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
  ])
})

const cost = (day: string, usd: (number | null)[]): SessionCost => ({
  id: `${day}-x-0000`,
  day,
  workers: usd.map((dollars, index) => ({
    name: `w${index}`,
    model: 'opus',
    seconds: 2,
    usd: dollars,
    estimatedUsd: 0,
  })),
  orchestrator: {
    model: 'opus',
    tokens: [{ model: 'opus', input: 1, output: 2, cacheRead: 3, cacheWrite: 4 }],
    usd: usd.length === 0 ? null : 0.5,
    unpricedModel: null,
  },
  judge: { model: 'gemini', rounds: 1, usd: null },
})

test('costs are added up by day, without an estimate of unreported dollars', () => {
  const days = sumByDay([cost('2026-11-20', [0.1, 0.2]), cost('2026-11-20', [null]), cost('2026-11-19', [])])
  assert.deepEqual(
    days.map(({ name, sessions, workers, usd, unreported }) => [name, sessions, workers, usd, unreported]),
    [
      ['2026-11-20', 2, 3, 1.3, 1],
      ['2026-11-19', 1, 0, 0, 1],
    ],
  )
  assert.deepEqual(sumCosts('none', []).tokens, { model: 'all', input: 0, output: 0, cacheRead: 0, cacheWrite: 0 })
})
