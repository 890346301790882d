import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnderWay, needsPersonToPush } from '#cli/pull-request/end-attempt.ts'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { SessionBusyError } from '#session/lease'

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

test('an attempt is pushed later where a command is at its session, and needs a person where another one has pushed', () => {
  const judge = (exitCode: ExitCode) => needsPersonToPush(new DispatchError('why', { exitCode }))
  assert.ok(judge(exitCodes.conflict) && judge(exitCodes.integrity) && judge(exitCodes.dependency))
  assert.ok(!judge(exitCodes.upstream) && !judge(exitCodes.storage))
  assert.ok(!needsPersonToPush(new SessionBusyError({ id: '2026-11-30-fix-login-a3f9' }, 7)))
})
