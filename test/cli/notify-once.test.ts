import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { NotifyOnce } from '#cli/notify-once.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('each thing is told once, also after a restart', t => {
  const home = createScratchFolder(t)
  const ids: string[] = []
  const tell = (file: string, stamp: string, reason: string) =>
    new NotifyOnce(home, 'inbox').tell(file, stamp, reason, id => ids.push(id))
  assert.ok(tell('/i/a.md', '1', 'a link'))
  assert.ok(!tell('/i/a.md', '1', 'a link'))
  assert.ok(tell('/i/b.md', '1', 'a link'))
  assert.ok(!tell('/i/a.md', '1', 'a link'), 'another file in between')
  assert.ok(tell('/i/a.md', '2', 'a link'), 'it was written')
  assert.ok(tell('/i/a.md', '2', 'a folder'))
  assert.equal(new Set(ids).size, 4)
  for (const id of ids) assert.match(id, /^inbox-[0-9a-f]{16}$/)
  assert.equal(new NotifyOnce(home, 'inbox').find('/i/a.md'), 'a folder')
  assert.equal(fs.statSync(path.join(home, 'inbox-told.json')).mode & 0o777, 0o600)
})

test('where telling fails it is told again, with the same id and time', t => {
  const told = new NotifyOnce(createScratchFolder(t), 'inbox')
  const calls: string[] = []
  const fail = (id: string, at: string) => {
    calls.push(`${id} ${at}`)
    throw new Error('the disk is full')
  }
  assert.throws(() => told.tell('/i/a.md', '1', 'a link', fail))
  assert.throws(() => told.tell('/i/a.md', '1', 'a link', fail))
  assert.ok(told.tell('/i/a.md', '1', 'a link', (id, at) => calls.push(`${id} ${at}`)))
  assert.equal(new Set(calls).size, 1)
  assert.equal(calls.length, 3)
})

test('what is gone is forgotten, and a damaged file counts as empty', t => {
  const home = createScratchFolder(t)
  const told = new NotifyOnce(home, 'inbox')
  const tell = (file: string) => told.tell(file, '1', 'a link', () => undefined)
  for (const file of ['/i', '/i/a.md', '/i/b.md', '/ii/a.md']) tell(file)
  told.keep('/i', new Set(['/i/a.md']))
  assert.deepEqual(['/i', '/i/a.md', '/i/b.md', '/ii/a.md'].map(tell), [true, false, true, false])
  fs.writeFileSync(path.join(home, 'inbox-told.json'), '{"/i":')
  assert.ok(tell('/i'))
})
