import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { settleRound } from '#runner/rounds/judge-round.ts'
import { readLog } from '#session/log'
import type { JudgeResult } from '#validator'
import { createTestContext } from '../../fixtures/runner-context.ts'

test('an answer that comes after the session was closed changes nothing', async t => {
  const context = createTestContext(t)
  const { paths } = context.session
  const [commit, tree] = ['d'.repeat(40), 'e'.repeat(40)]
  context.record({ type: 'session.closed', actor: 'you', reason: 'dispatch stop' })
  const round = { round: 1, requestId: '', head: { commit, tree }, gates: [], packet: null }
  const answers: JudgeResult[] = [
    { ok: false, reason: 'HTTP 503', kind: 'overloaded' },
    { ok: true, reply: { clauses: [], findings: [] }, model: 'm', milliseconds: 1 },
  ]
  for (const answer of answers) assert.equal(await settleRound(context, round, answer), undefined)
  assert.equal(readLog(paths.events).events.length, 1)
  assert.equal(fs.existsSync(paths.judgeAnswer(1)), false)
})
