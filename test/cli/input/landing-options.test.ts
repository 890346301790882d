import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLandingOptions, refuseForeignOptions } from '#cli/input/landing-options.ts'
import { landingActions } from '#cli/landing/actions.ts'

test('an option that an action does not take is refused, with where it belongs', () => {
  assert.throws(() => refuseForeignOptions('', { until: '10:00' }), {
    exitCode: 2,
    message: /`dispatch land <sid>` does not accept --until/,
    remedy: 'It belongs to land pause',
  })
  assert.throws(() => refuseForeignOptions('', { all: true }), { exitCode: 2, remedy: 'It belongs to land ls' })
  assert.throws(() => refuseForeignOptions('drop', { repo: '.' }), {
    exitCode: 2,
    message: /`dispatch land drop` does not accept --repo/,
    remedy: 'It belongs to dispatch land <sid>, land pause, land unpause, land run',
  })
  for (const action of Object.keys(landingActions)) {
    assert.throws(() => refuseForeignOptions(action, { queue: true }), { exitCode: 2 }, action)
    assert.doesNotThrow(() => refuseForeignOptions(action, { json: true }), action)
  }
  assert.doesNotThrow(() => refuseForeignOptions('', { queue: true, repo: '.', after: ['3f2a'] }))
})

test('--force is for landing now', () => {
  assert.throws(() => parseLandingOptions({ force: true, queue: true }), { exitCode: 2, message: /not to --queue/ })
  assert.throws(() => parseLandingOptions({ force: true, 'dry-run': true }), {
    exitCode: 2,
    message: /not to --dry-run/,
  })
  assert.equal(parseLandingOptions({ force: true }).ignoresPause, true)
})
