import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { DispatchError } from '#host/error.ts'
import { copyIntoTree } from '#runner/safe-copy.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('what is put into a tree goes through no link that somebody has laid there', async t => {
  const place = createScratchFolder(t)
  const at = (...names: string[]) => path.join(place, ...names)
  for (const folder of ['tree/real', 'outside', 'dependencies']) fs.mkdirSync(at(folder), { recursive: true })
  fs.writeFileSync(at('dependencies/a'), 'ours')
  fs.symlinkSync(at('outside'), at('tree/packages'))
  fs.symlinkSync(at('outside/not-there'), at('tree/dangling'))
  fs.writeFileSync(at('tree/file'), '')

  assert.equal(await copyIntoTree(at('tree'), 'real/new/node_modules', at('dependencies')), true)
  assert.equal(fs.readFileSync(at('tree/real/new/node_modules/a'), 'utf8'), 'ours')
  assert.equal(await copyIntoTree(at('tree'), 'dangling', at('dependencies')), false, 'something stands there')
  for (const name of ['packages/node_modules', 'packages/a/node_modules', 'file/node_modules'])
    await assert.rejects(
      copyIntoTree(at('tree'), name, at('dependencies')),
      (error: DispatchError) =>
        error.exitCode === 13 && /cannot be put in its place: \w+ is no folder/.test(error.message),
    )
  assert.deepEqual(fs.readdirSync(at('outside')), [])
})
