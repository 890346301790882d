import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { appendEvent, followLog, watchPaths } from '#session/log'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

test('a changed log is yielded again from the first changed line', async t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const append = (reason: string, lastSeq: number, log = file) =>
    appendEvent(log, { type: 'session.closed', actor: 'you', reason }, lastSeq, new Date())
  for (const [lastSeq, reason] of ['one', 'two', 'three'].entries()) append(reason, lastSeq)
  const abort = new AbortController()
  const followed: string[] = []
  const following = (async () => {
    for await (const event of followLog(file, { signal: abort.signal, rescanMs: 20 }))
      if (event.type === 'session.closed') followed.push(event.reason)
  })()
  await waitUntil(() => followed.length === 3, 'all three events')
  // One rename removes the last line, changes the second, and adds another.
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  fs.writeFileSync(
    `${file}.new`,
    lines
      .slice(0, 2)
      .map(line => `${line.replace('two', 'TWO')}\n`)
      .join(''),
  )
  append('four', 2, `${file}.new`)
  fs.renameSync(`${file}.new`, file)
  await waitUntil(() => followed.includes('four'), 'the added event')
  append('five', 3)
  await waitUntil(() => followed.includes('five'), 'the event after it')
  // Remove one line and add one, so that the number of lines is the same as before.
  fs.writeFileSync(
    file,
    fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .slice(0, 3)
      .map(line => `${line}\n`)
      .join(''),
  )
  append('six', 3)
  await waitUntil(() => followed.includes('six'), 'the event after the removed one')
  abort.abort()
  await following
  assert.deepEqual(followed, ['one', 'two', 'three', 'TWO', 'four', 'five', 'six'])
})

test('a wait leaves no listener on its signal', async t => {
  const { signal } = new AbortController()
  const waker = await watchPaths([createScratchFolder(t)], 1)
  for (let tick = 0; tick < 3; tick++) await waker.next(signal)
  await waker.close()
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
})

test('a log in which nothing happens is not read again', async t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  appendEvent(file, { type: 'session.closed', actor: 'you', reason: 'one' }, 0, new Date())
  const [opens, looks] = [t.mock.method(fs, 'openSync'), t.mock.method(fs, 'statSync')]
  const count = ({ mock }: typeof opens | typeof looks) => mock.calls.filter(call => call.arguments[0] === file).length
  const abort = new AbortController()
  t.after(() => abort.abort())
  const followed: string[] = []
  const following = (async () => {
    for await (const event of followLog(file, { signal: abort.signal, rescanMs: 1 }))
      if (event.type === 'session.closed') followed.push(event.reason)
  })()
  await waitUntil(() => followed.length === 1, 'the event')
  await waitUntil(() => count(looks) + count(opens) > 9, 'many looks')
  assert.equal(count(opens), 1)
  appendEvent(file, { type: 'session.closed', actor: 'you', reason: 'two' }, 1, new Date())
  await waitUntil(() => followed.length === 2, 'the event after it')
  abort.abort()
  await following
})
