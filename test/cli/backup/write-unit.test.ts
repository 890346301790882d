import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Entry } from '#cli/backup/format.ts'
import { ObjectStore } from '#cli/backup/object-store.ts'
import { addUnit } from '#cli/backup/write-unit.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

function prepare(t: TestContext) {
  const scratch = createScratchFolder(t)
  const [target, elsewhere] = [path.join(scratch, 'unit'), path.join(scratch, 'elsewhere')]
  for (const name of ['objects', 'elsewhere']) fs.mkdirSync(path.join(scratch, name))
  const store = new ObjectStore(path.join(scratch, 'objects'))
  const sha256 = store.addBytes(Buffer.from('new'))
  const file = (name: string): Entry => ({
    ...{ kind: 'file', path: name, mode: 0o600, mtimeMs: 0, size: 3, sha256, stamp: '' },
  })
  const folder = (name: string): Entry => ({ kind: 'folder', path: name, mode: 0o700, mtimeMs: 0 })
  return { target, elsewhere, file, folder, add: (...entries: Entry[]) => addUnit(entries, target, store, new Map()) }
}

test('nothing is added through a link or a file in the place of a folder', t => {
  const { target, elsewhere, file, folder, add } = prepare(t)
  fs.mkdirSync(target)
  fs.symlinkSync(elsewhere, path.join(target, 'a'))
  fs.writeFileSync(path.join(target, 'b'), 'old')
  const below = [folder('a'), file('a/x'), folder('a/c'), file('a/c/y'), folder('b'), file('b/z')]
  const kept = add(folder(''), ...below, folder('d'), file('d/x'))
  assert.deepEqual(
    kept,
    below.map(entry => entry.path),
  )
  assert.deepEqual(fs.readdirSync(elsewhere), [])
  assert.equal(fs.readFileSync(path.join(target, 'b'), 'utf8'), 'old')
  assert.equal(fs.readFileSync(path.join(target, 'd/x'), 'utf8'), 'new')
})

test('a unit that a person has put on another disk, by a link, is added to there', t => {
  const { target, elsewhere, file, folder, add } = prepare(t)
  fs.symlinkSync(elsewhere, target)
  assert.deepEqual(add(folder(''), file('x')), [])
  assert.deepEqual(fs.readdirSync(elsewhere), ['x'])
})
