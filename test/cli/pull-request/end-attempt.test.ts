import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnderWay } from '#cli/pull-request/end-attempt.ts'

test('an attempt goes on until its outcome is about how its item is now', () => {
  const lost = { session: 's', commit: null, reason: 'the PASS does not hold', itemSince: 'noon' }
  assert.equal(isUnderWay(undefined, null), false)
  for (const state of ['cancelled', 'needs you'] as const)
    assert.equal(isUnderWay({ state, since: 'noon' }, null), false)
  assert.equal(isUnderWay({ state: 'running', since: 'noon' }, null), true)
  assert.equal(isUnderWay({ state: 'done', since: 'noon' }, null), true, 'its work is not pushed yet')
  assert.equal(isUnderWay({ state: 'done', since: 'noon' }, lost), false, 'a PASS that was lost is not pushed for ever')
  assert.equal(isUnderWay({ state: 'running', since: 'one' }, lost), true, 'a person has resumed it')
  assert.equal(isUnderWay({ state: 'done', since: 'one' }, lost), true, 'it was resumed, and has ended since')
  assert.equal(isUnderWay({ state: 'running', since: 'one' }, { ...lost, commit: 'c' }), false, 'it is pushed')
})
