import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { append, follow } from '../../session/index.ts'
import { scratch, until } from '../host/scratch.ts'

test('what comes after somebody has changed the log is told, also where it has as many lines as before', async t => {
  const file = path.join(scratch(t), 'events.jsonl')
  const say = (title: string, seq: number) =>
    append(file, { is: 'session.closed', by: 'you', why: title }, seq, new Date())
  for (const [seq, title] of ['one', 'two', 'three'].entries()) say(title, seq)
  const over = new AbortController()
  const heard: string[] = []
  const hearing = (async () => {
    for await (const event of follow(file, { signal: over.signal, rescan: 20 }))
      if (event.is === 'session.closed') heard.push(event.why)
  })()
  await until(() => heard.length === 3, 'all is heard')
  // By one rename: the last line is gone, the second another one, and one has come.
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  fs.writeFileSync(
    `${file}.new`,
    lines
      .slice(0, 2)
      .map(line => `${line.replace('two', 'TWO')}\n`)
      .join(''),
  )
  append(`${file}.new`, { is: 'session.closed', by: 'you', why: 'four' }, 2, new Date())
  fs.renameSync(`${file}.new`, file)
  await until(() => heard.includes('four'), 'the new one is heard')
  say('five', 3)
  await until(() => heard.includes('five'), 'what follows is heard')
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
  await until(() => heard.includes('six'), 'what follows a cut is heard')
  over.abort()
  await hearing
  assert.deepEqual(heard, ['one', 'two', 'three', 'TWO', 'four', 'five', 'six'])
})
