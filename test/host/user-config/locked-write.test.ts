import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { changeUserFile } from '#host/user-config'
import { createUserFile } from '../../fixtures/host/user-file.ts'
import { waitUntil } from '../../fixtures/scratch.ts'

test('a stale lock is removed after ten seconds, a live one is waited for', async t => {
  const { file } = createUserFile(t, '{}')
  fs.mkdirSync(`${file}.lock`)
  const old = Date.now() / 1000 - 11
  fs.utimesSync(`${file}.lock`, old, old)
  await changeUserFile(file, () => Buffer.from('1'))

  fs.mkdirSync(`${file}.lock`)
  const { mock } = t.mock.method(fs, 'mkdirSync')
  const changed = changeUserFile(file, () => Buffer.from('2'))
  const countTries = () => mock.calls.filter(call => call.arguments[0] === `${file}.lock`).length
  await waitUntil(() => countTries() > 5, 'it tries again and again')
  assert.equal(fs.readFileSync(file, 'utf8'), '1')
  fs.rmdirSync(`${file}.lock`)
  await changed
  assert.equal(fs.readFileSync(file, 'utf8'), '2')
})

test('a file that changes during each of five attempts is exit 5, and stays', async t => {
  const { file, journal, folder } = createUserFile(t, '{"n": 0}')
  let calls = 0
  const changeAndInterfere = (content: Buffer | undefined) => {
    const { n } = JSON.parse(String(content))
    calls++
    fs.writeFileSync(path.join(folder, 'other'), `{"n": ${n + 1}}`)
    fs.renameSync(path.join(folder, 'other'), file)
    return Buffer.from('{"mine": 1}')
  }
  await assert.rejects(
    changeUserFile(file, changeAndInterfere),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 5,
  )
  assert.equal(calls, 10, 'each attempt reads once without the lock and once with it')
  assert.equal(fs.readFileSync(file, 'utf8'), '{"n": 10}')
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['settings.json'])
  assert.ok(!fs.existsSync(journal))
})

test('a change that another writer overwrites is repeated', async t => {
  const { file } = createUserFile(t, '{}')
  let calls = 0
  await changeUserFile(file, content => {
    const value = JSON.parse(String(content))
    // The second call is followed by the write, within the same task.
    if (++calls === 2) queueMicrotask(() => fs.writeFileSync(file, '{"other": 1}'))
    return value.mine ? content : Buffer.from(JSON.stringify({ ...value, mine: 1 }))
  })
  assert.ok(calls > 3)
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { other: 1, mine: 1 })
})
