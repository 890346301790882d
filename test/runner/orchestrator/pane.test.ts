import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyPane } from '#runner/orchestrator/pane.ts'

test('a claude that was killed is told from one that ended by itself', () => {
  const classify = (exitCode: number | undefined, isPidTaken = false) =>
    classifyPane({ isDead: true, exitCode }, isPidTaken)
  assert.deepEqual(
    [137, 143, 129].map(code => classify(code)),
    ['killed', 'killed', 'killed'],
  )
  assert.deepEqual(
    [0, 1, 130, 132].map(code => classify(code)),
    ['exited', 'exited', 'exited', 'exited'],
  )
  assert.deepEqual([classify(undefined), classify(undefined, true)], ['killed', 'ending'])
  assert.equal(classifyPane({ isDead: false, exitCode: undefined }, true), 'alive')
})
