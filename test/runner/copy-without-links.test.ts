import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { DispatchError } from '#host/error.ts'
import { copyIntoTree } from '#runner/copy-without-links.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('nothing is copied into a tree through a link', async t => {
  const scratch = createScratchFolder(t)
  const resolve = (...names: string[]) => path.join(scratch, ...names)
  for (const folder of ['tree/real', 'outside', 'dependencies']) fs.mkdirSync(resolve(folder), { recursive: true })
  fs.writeFileSync(resolve('dependencies/a'), 'installed')
  fs.symlinkSync(resolve('outside'), resolve('tree/packages'))
  fs.symlinkSync(resolve('outside/missing'), resolve('tree/dangling'))
  fs.writeFileSync(resolve('tree/file'), '')
  const copy = (name: string) => copyIntoTree(resolve('tree'), name, resolve('dependencies'))

  assert.equal(await copy('real/new/node_modules'), true)
  assert.equal(fs.readFileSync(resolve('tree/real/new/node_modules/a'), 'utf8'), 'installed')
  assert.equal(await copy('dangling'), false, 'the name exists')
  for (const name of ['packages/node_modules', 'packages/a/node_modules', 'file/node_modules'])
    await assert.rejects(copy(name), (error: DispatchError) => error.exitCode === 13)
  assert.deepEqual(fs.readdirSync(resolve('outside')), [])
})
