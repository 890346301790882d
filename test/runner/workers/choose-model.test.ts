import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseWorkerModel } from '#runner/workers/choose-model.ts'
import type { ClauseStatus } from '#session/status'
import { blankManifest } from '../../fixtures/blank-manifest.ts'

const models = { orchestrator: 'opus', code: 'haiku, sonnet,opus', rw: 'sonnet', judge: 'g' }
const clause = (id: string, failures?: number): ClauseStatus => ({
  id,
  sentence: '',
  proof: 'check',
  ...(failures === undefined ? {} : { failures }),
})
const choose = (known: ClauseStatus[], clauses: string[], changes = {}) =>
  chooseWorkerModel({ ...blankManifest, models, ...changes }, known, { kind: 'code', clauses })

test('each FAIL of one of its clauses is one rung of the ladder', () => {
  assert.equal(choose([], ['C1']), 'haiku')
  assert.equal(choose([clause('C1', 1), clause('C2')], ['C1', 'C2']), 'sonnet')
  assert.equal(choose([clause('C1', 2), clause('C2')], ['C2']), 'haiku', 'another clause')
  assert.equal(choose([clause('C1', 9)], ['C1']), 'opus', 'the last rung')
  assert.equal(choose([clause('C1', 1)], ['C1'], { models: { ...models, code: 'opus' } }), 'opus')
  const retryOf = { session: 's', outcome: 'FAIL: C1 is red', findings: [], context: '' }
  assert.equal(choose([], ['C1'], { retryOf }), 'sonnet', 'another attempt')
  assert.equal(chooseWorkerModel({ ...blankManifest, models }, [], { kind: 'rw', clauses: [] }), 'sonnet')
})
