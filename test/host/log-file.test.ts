import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { appendLog, MAX_LOG_BYTES, readLogTail } from '#host/log-file.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('lines have their time, and a full log becomes the previous one', t => {
  const folder = path.join(createScratchFolder(t), 'logs')
  assert.equal(readLogTail(folder, 'daemon', 9), undefined)
  appendLog(folder, 'daemon', 'one', new Date('2026-11-30T12:00:00Z'))
  assert.deepEqual(readLogTail(folder, 'daemon', 9), ['2026-11-30T12:00:00.000Z one'])
  fs.appendFileSync(path.join(folder, 'daemon.log'), `${'x'.repeat(MAX_LOG_BYTES)}\n`)
  appendLog(folder, 'daemon', 'two', new Date('2026-11-30T12:00:01Z'))
  appendLog(folder, 'daemon', 'three', new Date('2026-11-30T12:00:02Z'))
  assert.deepEqual(fs.readdirSync(folder).sort(), ['daemon.log', 'daemon.log.1'])
  assert.deepEqual(readLogTail(folder, 'daemon', 2), ['2026-11-30T12:00:01.000Z two', '2026-11-30T12:00:02.000Z three'])
  assert.equal(readLogTail(folder, 'daemon', 9)?.length, 4)
})

test('a log that cannot be written ends nothing', t => {
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, '')
  appendLog(file, 'daemon', 'one')
})
