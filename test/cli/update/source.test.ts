import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { bringCode, openTarball } from '#cli/update/source.ts'
import { runProgram } from '#host/exec.ts'
import { sha256 } from '#host/hash.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** A tarball with this package.json, and a `bin/dispatch`, in the folder `top`. */
async function packFolder(t: TestContext, manifest: object, top = 'package'): Promise<string> {
  const around = createScratchFolder(t)
  fs.mkdirSync(path.join(around, top, 'bin'), { recursive: true })
  fs.writeFileSync(path.join(around, top, 'bin/dispatch'), '#!/bin/sh\n', { mode: 0o755 })
  fs.writeFileSync(path.join(around, top, 'package.json'), JSON.stringify(manifest))
  const ran = await runProgram('tar', ['-czf', 'code.tgz', top], { cwd: around })
  assert.equal(ran.exitCode, 0, ran.stderr)
  return path.join(around, 'code.tgz')
}

test('a tarball of dispatch becomes a folder, named by its version and its hash', async t => {
  for (const top of ['package', 'claude-dispatch-1.2.3']) {
    const file = await packFolder(t, { name: 'claude-dispatch', version: '1.2.3' }, top)
    const folder = path.join(path.dirname(file), 'code')
    const name = await bringCode(openTarball(file), folder)
    assert.equal(name, `1.2.3-${sha256(fs.readFileSync(file)).slice(0, 12)}`)
    assert.deepEqual(fs.readdirSync(folder).sort(), ['bin', 'package.json'])
    assert.ok((fs.statSync(path.join(folder, 'bin/dispatch')).mode & 0o100) !== 0)
  }
})

test('anything else is exit 2', async t => {
  for (const manifest of [{ name: 'left-pad', version: '1.2.3' }, { name: 'claude-dispatch', version: '1.2' }, {}]) {
    const file = await packFolder(t, manifest)
    const folder = path.join(path.dirname(file), 'code')
    await assert.rejects(bringCode(openTarball(file), folder), { exitCode: 2 }, JSON.stringify(manifest))
  }
  assert.throws(() => openTarball(path.join(createScratchFolder(t), 'nowhere.tgz')), { exitCode: 2 })
})
