/** A small storm. Run the big one by hand: `node test/fixtures/storm/storm.ts`. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { HANG_MS } from '../../fixtures/scratch.ts'

const storm = path.join(import.meta.dirname, '../../fixtures/storm/storm.ts')

test('no notification is lost or out of order in a storm of faults and kills', async () => {
  const args = ['--notifications', '300', '--kills', '6', '--seed', '1', '--batched']
  const ran = await runProgram(process.execPath, [storm, ...args], { timeoutMs: HANG_MS })
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
})
