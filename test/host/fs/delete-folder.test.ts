import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { deleteFolder } from '#host/fs'
import { createScratchFolder, withoutRoot } from '../../fixtures/scratch.ts'

test('read-only folders are deleted, also with names that are not UTF-8', async t => {
  const scratch = createScratchFolder(t)
  await withoutRoot(scratch, () => {
    const folder = path.join(scratch, 'modules')
    const deep = Buffer.concat([Buffer.from(`${folder}/a`), Buffer.of(0xff)])
    fs.mkdirSync(deep, { recursive: true })
    fs.writeFileSync(Buffer.concat([deep, Buffer.from('/file')]), '', { mode: 0o444 })
    fs.symlinkSync('/', path.join(folder, 'link'))
    fs.chmodSync(deep, 0o000)
    fs.chmodSync(folder, 0o555)
    deleteFolder(folder)
    deleteFolder(folder)
    assert.deepEqual(fs.readdirSync(scratch), [])
    fs.writeFileSync(path.join(scratch, 'file'), '')
    fs.chmodSync(scratch, 0o555)
    assert.throws(() => deleteFolder(path.join(scratch, 'file')), { exitCode: 10 }, 'what is around it is not touched')
  })
})
