import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStart, measureStartSeconds } from '#cli/doctor/sandbox.ts'
import { whyNoSandbox } from '../../fixtures/skip-reasons.ts'

test('doctor times one sandboxed command', { skip: whyNoSandbox }, async () => {
  assert.equal(typeof (await measureStartSeconds()), 'number')
})

test('a slow sandbox is a warning, a broken one a failure', () => {
  assert.equal(describeStart('bubblewrap', 0.3).state, 'ok')
  assert.equal(describeStart('bubblewrap', 10.7).state, 'warn')
  assert.equal(describeStart('bubblewrap', 'it failed').state, 'fail')
})
