import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type DeliveryLogEntry, readDeliveryLog } from '#notify'
import { appendDeliveryLog } from '#notify/delivery-log.ts'
import { createHome } from '../fixtures/notify-home.ts'

const home = createHome()
const outbox = path.join(home, 'outbox')
const file = path.join(outbox, 'delivery-log.jsonl')
const FULL_LOG_BYTES = 2 * 1024 * 1024
fs.mkdirSync(outbox)
after(() => fs.rmSync(home, { recursive: true }))

function buildEntry(number: number): DeliveryLogEntry {
  return {
    at: new Date().toISOString(),
    id: `session-${number}`,
    sessionId: 'session',
    channel: 'phone',
    result: 'sent',
    reason: '',
  }
}

test('a missing log is empty', () => assert.deepEqual(readDeliveryLog(home, 5), []))

test('the last entries are read, oldest first, and a torn line is skipped', () => {
  for (let number = 0; number < 5; number++) appendDeliveryLog(home, buildEntry(number))
  fs.appendFileSync(file, '\n{"at":"2026')
  appendDeliveryLog(home, buildEntry(5))
  assert.deepEqual(listIds(readDeliveryLog(home, 3)), ['session-3', 'session-4', 'session-5'])
  assert.equal(readDeliveryLog(home, 99).length, 6)
  assert.deepEqual(readDeliveryLog(home, 0), [])
})

test('a full log becomes the previous one, which replaces the one before', () => {
  fs.appendFileSync(file, ' '.repeat(FULL_LOG_BYTES))
  appendDeliveryLog(home, buildEntry(6))
  assert.ok(fs.statSync(file).size < 1000)
  assert.deepEqual(listIds(readDeliveryLog(home, 2)), ['session-5', 'session-6'])
  fs.appendFileSync(file, ' '.repeat(FULL_LOG_BYTES))
  appendDeliveryLog(home, buildEntry(7))
  assert.deepEqual(listIds(readDeliveryLog(home, 99)), ['session-6', 'session-7'])
  assert.deepEqual(fs.readdirSync(outbox).sort(), ['delivery-log.jsonl', 'delivery-log.previous.jsonl'])
})

test('only the owner can read the log', () => {
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

function listIds(entries: DeliveryLogEntry[]): string[] {
  return entries.map(({ id }) => id)
}
