import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { endPause, readPause, writePause } from '#queue'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('a pause lasts until its time, or until a person ends it', t => {
  const home = createScratchFolder(t)
  const now = new Date('2026-11-30T12:00:00Z')
  assert.equal(readPause(home, now), undefined)
  const pause = { since: now.toISOString(), until: '2026-11-30T13:00:00.000Z', reason: 'holiday' }
  writePause(home, pause)
  assert.deepEqual(readPause(home, now), pause)
  assert.equal(readPause(home, new Date('2026-11-30T13:00:00Z')), undefined)
  writePause(home, { ...pause, until: null })
  assert.equal(readPause(home, new Date('2036-11-30T13:00:00Z'))?.until, null)
  assert.ok(endPause(home, now))
  assert.ok(!endPause(home, now))
})

test('a pause that cannot be read goes on until a person ends it', t => {
  const home = createScratchFolder(t)
  for (const content of ['{"since":', '[]', '{"until":"tomorrow"}']) {
    fs.writeFileSync(path.join(home, 'paused.json'), content)
    const pause = readPause(home, new Date())
    assert.equal(pause?.until, null, content)
    assert.match(pause.reason, /cannot be read/)
  }
  assert.ok(endPause(home, new Date()))
})
