import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listCommandLines, parseCommandLines } from '#host/process'

test('the command line of this process is listed', async () => {
  const lines = await listCommandLines()
  assert.ok(lines.some(line => line.includes('command-lines.test.ts')))
})

test('the output of ps on macOS has one command on each line', () => {
  const text =
    '/sbin/launchd\n/opt/my clone.versions/0.2.0-0123456789ab/node_modules/node/bin/node built/runner.js  \n\n(sh)\n'
  assert.deepEqual(parseCommandLines(text), [
    '/sbin/launchd',
    '/opt/my clone.versions/0.2.0-0123456789ab/node_modules/node/bin/node built/runner.js',
    '(sh)',
  ])
})
