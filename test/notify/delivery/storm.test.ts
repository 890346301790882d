/** A small storm; the one of 10,000 notices and 200 kills is run by hand: `node test/fixtures/storm/storm.ts`. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'

test('300 notices through a bad server and 6 kills: none lost, none twice without a lost reply, all in order', async () => {
  const words = ['--notices', '300', '--kills', '6', '--seed', String(Date.now() % 1000), '--together']
  const ran = await runProgram(
    process.execPath,
    [path.join(import.meta.dirname, '../../fixtures/storm/storm.ts'), ...words],
    {
      timeoutMs: 120_000,
    },
  )
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  assert.match(ran.stdout, /\n {2}lost +0\n/)
})
