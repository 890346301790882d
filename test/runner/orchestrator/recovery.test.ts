import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OrchestratorRecovery } from '#runner/orchestrator/recovery.ts'
import { initialStatus } from '#session/status'
import { createTestContext } from '../../fixtures/runner-context.ts'

const REASON = 'it ended by itself, or was killed'

test('a person is called when claude has ended again and again', async t => {
  const context = createTestContext(t)
  const lastResume = { time: new Date().toISOString(), inARow: 3 }
  context.status = { ...initialStatus, phase: 'working', lastSeq: 1, lastResume }
  const recovery = new OrchestratorRecovery()
  await recovery.check(context, REASON)
  assert.equal(context.status.phase, 'working', 'a person who ended it says so in a hook, which is read first')
  await recovery.check(context, REASON)
  assert.equal(context.status.phase, 'needs you')
  assert.match(context.status.problem ?? '', /^the orchestrator is gone: .* after 3 new starts$/)
})

test('after the first new start claude is left alone for a while, and one that came back is forgotten', async t => {
  const context = createTestContext(t)
  const lastResume = { time: new Date().toISOString(), inARow: 1 }
  context.status = { ...initialStatus, phase: 'working', lastSeq: 1, lastResume }
  const recovery = new OrchestratorRecovery()
  for (const reason of [REASON, REASON, undefined, REASON, REASON]) await recovery.check(context, reason)
  assert.equal(context.status.lastSeq, 1, 'nothing was recorded')
})
