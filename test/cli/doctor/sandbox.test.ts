import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStart, measureStartSeconds } from '#cli/doctor/sandbox.ts'
import { detectSandbox } from '#host/sandbox'

const sandbox = await detectSandbox()
const skip = 'problem' in sandbox ? sandbox.problem : false

test('doctor times one sandboxed command', { skip }, async () => {
  assert.equal(typeof (await measureStartSeconds()), 'number')
})

test('a slow sandbox is a warning, a broken one a failure', () => {
  assert.equal(describeStart('bubblewrap', 0.3).state, 'ok')
  assert.equal(describeStart('bubblewrap', 10.7).state, 'warn')
  assert.equal(describeStart('bubblewrap', 'it failed').state, 'fail')
})
