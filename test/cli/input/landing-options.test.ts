import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkForm } from '#cli/command.ts'
import { landingForms, parseLandingOptions } from '#cli/input/landing-options.ts'
import { landingActions } from '#cli/landing/actions.ts'

test('an option that an action does not take is refused, with where it belongs', () => {
  const check = (first: string, values: object) => checkForm('land', landingForms, values, [first])
  assert.throws(() => check('3f2a', { until: '10:00' }), {
    exitCode: 2,
    message: /`dispatch land <sid…>` does not accept --until/,
    remedy: 'It belongs to land pause',
  })
  assert.throws(() => check('3f2a', { all: true }), { exitCode: 2, remedy: 'It belongs to land ls' })
  assert.throws(() => check('drop', { repo: '.' }), {
    exitCode: 2,
    message: /`dispatch land drop <sid…>` does not accept --repo/,
    remedy: 'It belongs to land <sid…>, land pause, land unpause, land run [queue]',
  })
  for (const action of Object.keys(landingActions)) {
    assert.throws(() => check(action, { queue: true }), { exitCode: 2 }, action)
    assert.doesNotThrow(() => check(action, { json: true }), action)
  }
  assert.doesNotThrow(() => check('3f2a', { queue: true, repo: '.', after: ['3f2a'] }))
})

test('--force is for landing now', () => {
  assert.throws(() => parseLandingOptions({ force: true, queue: true }), { exitCode: 2, message: /not to --queue/ })
  assert.throws(() => parseLandingOptions({ force: true, 'dry-run': true }), {
    exitCode: 2,
    message: /not to --dry-run/,
  })
  assert.equal(parseLandingOptions({ force: true }).ignoresPause, true)
})
