import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { appendEvent, followLog } from '#session/log'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

test('what comes after somebody has changed the log is told, also where it has as many lines as before', async t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const say = (title: string, seq: number) =>
    appendEvent(file, { type: 'session.closed', actor: 'you', reason: title }, seq, new Date())
  for (const [seq, title] of ['one', 'two', 'three'].entries()) say(title, seq)
  const over = new AbortController()
  const heard: string[] = []
  const hearing = (async () => {
    for await (const event of followLog(file, { signal: over.signal, rescanMs: 20 }))
      if (event.type === 'session.closed') heard.push(event.reason)
  })()
  await waitUntil(() => heard.length === 3, 'all is heard')
  // By one rename: the last line is gone, the second another one, and one has come.
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  fs.writeFileSync(
    `${file}.new`,
    lines
      .slice(0, 2)
      .map(line => `${line.replace('two', 'TWO')}\n`)
      .join(''),
  )
  appendEvent(`${file}.new`, { type: 'session.closed', actor: 'you', reason: 'four' }, 2, new Date())
  fs.renameSync(`${file}.new`, file)
  await waitUntil(() => heard.includes('four'), 'the new one is heard')
  say('five', 3)
  await waitUntil(() => heard.includes('five'), 'what follows is heard')
  // Cut, and one line more: as many as before again.
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
  say('six', 3)
  await waitUntil(() => heard.includes('six'), 'what follows a cut is heard')
  over.abort()
  await hearing
  assert.deepEqual(heard, ['one', 'two', 'three', 'TWO', 'four', 'five', 'six'])
})
