import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('sessions of a machine that is gone are named one by one', async t => {
  const home = createScratchFolder(t)
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const program = path.join(import.meta.dirname, '../../../bin/dispatch')
  const stopped = await runProgram('/bin/sh', [program, 'stop', '--all', '--host-gone'], { env, cwd: home })
  assert.equal(stopped.exitCode, exitCodes.usage, stopped.stdout)
  assert.match(stopped.stderr, /does not accept --host-gone/)
})
