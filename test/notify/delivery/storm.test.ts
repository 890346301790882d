/** A small storm. `npm run torture -- storm` is longer; run the biggest by hand: `node test/fixtures/storm/storm.ts`. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { HANG_MS } from '../../fixtures/scratch.ts'

const storm = path.join(import.meta.dirname, '../../fixtures/storm/storm.ts')

test('no notification is lost or out of order in a storm of faults and kills', async () => {
  const count = Number(process.env['STORM_NOTIFICATIONS'] ?? 100)
  const amounts = ['--notifications', `${count}`, '--kills', `${Math.round(count / 50)}`]
  const args = [...amounts, '--seed', process.env['SEED'] ?? '1', '--batched']
  const timeoutMs = HANG_MS * Math.max(1, count / 300)
  const ran = await runProgram(process.execPath, [storm, ...args], { timeoutMs })
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
})
