import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { entryPoint } from '../../fixtures/rig.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('what --check names installs what was looked at', async t => {
  const home = createScratchFolder(t)
  const tarball = path.join(home, 'new code.tgz')
  fs.writeFileSync(tarball, '')
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const checked = await runProgram('/bin/sh', [entryPoint, 'update', tarball, '--check'], { env, cwd: home })
  assert.equal(checked.exitCode, 0, checked.stderr)
  assert.ok(checked.stdout.includes(`dispatch update '${tarball}'`), checked.stdout)
})
