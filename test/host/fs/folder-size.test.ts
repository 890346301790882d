import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { measureFolder, requireFreeSpace } from '#host/fs'
import { createScratchFolder, withoutRoot } from '../../fixtures/scratch.ts'

test('the size of a folder is what removing it would free', t => {
  const scratch = createScratchFolder(t)
  const folder = path.join(scratch, 'folder')
  fs.mkdirSync(path.join(folder, 'deep'), { recursive: true })
  const empty = measureFolder(folder)
  const measureAdded = () => Math.round((measureFolder(folder) - empty) / 100_000)
  fs.writeFileSync(path.join(folder, 'a'), 'x'.repeat(400_000))
  fs.linkSync(path.join(folder, 'a'), path.join(folder, 'deep/again'))
  assert.equal(measureAdded(), 4, 'two names, one file')
  fs.writeFileSync(path.join(scratch, 'shared'), 'x'.repeat(800_000))
  fs.linkSync(path.join(scratch, 'shared'), path.join(folder, 'shared'))
  fs.symlinkSync('/', path.join(folder, 'link'))
  assert.equal(measureAdded(), 4, 'a file with a name elsewhere stays')
})

test('what cannot be entered, or has too long a path, is left out of the size', async t => {
  const scratch = createScratchFolder(t)
  const steps = Array.from({ length: 20 }, () => 'x'.repeat(250))
  await withoutRoot(scratch, () => {
    fs.mkdirSync(path.join(scratch, 'closed'))
    fs.writeFileSync(path.join(scratch, 'closed/file'), 'x')
    fs.chmodSync(path.join(scratch, 'closed'), 0o444)
    const cwd = process.cwd()
    try {
      process.chdir(scratch)
      for (const step of steps) {
        fs.mkdirSync(step)
        process.chdir(step)
      }
    } finally {
      process.chdir(cwd)
    }
    assert.ok(measureFolder(scratch) >= 0)
  })
  const removed = await runProgram('rm', ['-rf', path.join(scratch, steps[0] ?? '')])
  assert.equal(removed.exitCode, 0, removed.stderr)
})

test('with less than 1 GB nothing is started', () => {
  requireFreeSpace('/home/me', 1.1e9)
  assert.throws(
    () => requireFreeSpace('/home/me', 0.95e9),
    (error: DispatchError) => error.exitCode === exitCodes.storage && /^0\.9 GB are free/.test(error.message),
  )
})
