import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { appendEvent, cutNames, readLog } from '#session/log'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('an event with any names of files can be read again', t => {
  for (const [index, letter] of ['x', '\u0001', '"', '\\', '🌷', '\u{E0041}'].entries()) {
    const log = path.join(createScratchFolder(t), `events-${index}.jsonl`)
    const files = cutNames(Array.from({ length: 60 }, (_, number) => `${number}${letter.repeat(4000)}`))
    appendEvent(log, { type: 'landing.overlapped', session: 'a', branch: 'main', files }, 0, new Date())
    assert.equal(readLog(log).events.length, 1, letter)
  }
  assert.deepEqual(cutNames(['src/a.ts']), ['src/a.ts'])
})
