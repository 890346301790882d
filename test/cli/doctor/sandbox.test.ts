import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStart, measureStartSeconds } from '#cli/doctor/sandbox.ts'
import { detectSandbox } from '#host/sandbox'

const here = await detectSandbox()
const skip = 'problem' in here ? here.problem : false

test('doctor times one sandboxed command', { skip }, async () => {
  assert.equal(typeof (await measureStartSeconds()), 'number')
})

test('a quick sandbox is fine, a slow one is worth knowing, a broken one is bad', () => {
  assert.equal(describeStart('bubblewrap', 0.3).state, 'good')
  assert.equal(describeStart('bubblewrap', 10.7).state, 'weak')
  assert.equal(describeStart('bubblewrap', 'it failed').state, 'bad')
})
