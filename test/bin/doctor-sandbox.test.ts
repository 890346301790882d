import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inUse, startSeconds } from '../../bin/doctor/sandbox.ts'
import { sandboxHere } from '../../host/index.ts'

const here = await sandboxHere()
const skip = 'missing' in here ? here.missing : false

test('doctor times one sandboxed command', { skip }, async () => {
  assert.equal(typeof (await startSeconds()), 'number')
})

test('a quick sandbox is fine, a slow one is worth knowing, a broken one is bad', () => {
  assert.equal(inUse('bubblewrap', 0.3).state, 'good')
  assert.equal(inUse('bubblewrap', 10.7).state, 'weak')
  assert.equal(inUse('bubblewrap', 'it failed').state, 'bad')
})
