import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionsOptions, checkAction, listActions } from '#cli/input/actions-options.ts'

test('an action refuses what it does not take, and says where that belongs', () => {
  assert.throws(() => checkAction('remove', {}), { exitCode: 2 })
  assert.throws(() => checkAction('report', { 'dry-run': true }), {
    exitCode: 2,
    message: /`dispatch actions report` does not accept --dry-run/,
    remedy: 'It belongs to actions install, actions uninstall',
  })
  assert.throws(() => checkAction('show', { json: true }), { exitCode: 2 })
  assert.doesNotThrow(() => checkAction('report', { 'pull-request': true, json: true }))
})

test('each option belongs to an action', () => {
  const takes = (action: string, name: string) => {
    try {
      checkAction(action, { [name]: 'x' })
      return true
    } catch {
      return false
    }
  }
  for (const name of Object.keys(actionsOptions))
    assert.ok(
      listActions().some(action => takes(action, name)),
      name,
    )
})
