import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { chooseIntervalMs, VerdictWatch } from '#runner/verdict-watch.ts'
import { prepareRepository } from '#session/repository'
import { createTestContext } from '../fixtures/runner-context.ts'

test('a look that takes long is followed by a long rest', () => {
  assert.deepEqual([1, 20, 150, 90_000].map(chooseIntervalMs), [2000, 2000, 15_000, 60_000])
})

test('a lock that an earlier runner left does not keep git from looking', async t => {
  const context = createTestContext(t)
  const { paths } = context.session
  const base = await prepareRepository(paths, 'work', undefined)
  const verdict = { round: 1, verdict: 'PASS' as const, reason: '', isFinal: true, independence: '' }
  context.record({ type: 'verdict.given', ...verdict, ...base, clauses: [] })
  const lock = `${paths.verdictIndex(base.commit)}.lock`
  fs.writeFileSync(lock, '')
  await new VerdictWatch().check(context)
  assert.equal(fs.existsSync(lock), false)
  assert.ok(fs.existsSync(paths.verdictIndex(base.commit)))
})
