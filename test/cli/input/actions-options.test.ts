import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkForm } from '#cli/command.ts'
import { actionsForms } from '#cli/input/actions-options.ts'

test('an action refuses what it does not take, and says where that belongs', () => {
  const check = (action: string, values: object) => checkForm('actions', actionsForms, values, [action])
  assert.throws(() => check('remove', {}), { exitCode: 2 })
  assert.throws(() => check('report', { 'dry-run': true }), {
    exitCode: 2,
    message: /`dispatch actions report` does not accept --dry-run/,
    remedy: 'It belongs to actions install, actions uninstall',
  })
  assert.throws(() => check('show', { json: true }), { exitCode: 2 })
  assert.doesNotThrow(() => check('report', { 'pull-request': true, json: true }))
})
