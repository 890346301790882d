import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { entryPoint } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

const whyNoFullDevice = fs.existsSync('/dev/full') ? false : 'it needs /dev/full: run it on Linux'

test('an output that cannot be written is exit 10, and is said', { skip: whyNoFullDevice }, async t => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: createScratchFolder(t), DISPATCH_DEV: '1' }
  const run = await runProgram('/bin/sh', ['-c', `'${entryPoint}' --help > /dev/full`], { env, cwd: '/' })
  assert.equal(run.exitCode, 10)
  assert.match(run.stderr, /^dispatch: the output cannot be written: ENOSPC/)
})

test('a folder for temporary files that is missing is replaced, by every command', async t => {
  const home = createScratchFolder(t)
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    DISPATCH_HOME: home,
    DISPATCH_DEV: '1',
    TMPDIR: '/nowhere',
  }
  const run = await runProgram(entryPoint, ['ls'], { env, cwd: '/' })
  assert.equal(run.exitCode, 0, run.stderr)
  assert.match(run.stderr, /^dispatch: TMPDIR: \/nowhere does not exist, so \/tmp is used$/m)
})
