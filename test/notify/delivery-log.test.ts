import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type DeliveryLogEntry, readDeliveryLog } from '#notify'
import { appendDeliveryLog } from '#notify/delivery-log.ts'
import { createHome } from '../fixtures/notify-home.ts'

const home = createHome()
const outbox = path.join(home, 'outbox')
fs.mkdirSync(outbox)
after(() => fs.rmSync(home, { recursive: true }))

const entry = (nth: number): DeliveryLogEntry => ({
  at: new Date().toISOString(),
  id: `session-${nth}`,
  sessionId: 'session',
  channel: 'phone',
  what: 'sent',
  reason: '',
})

test('no ledger is an empty one', () => assert.deepEqual(readDeliveryLog(home, 5), []))

test('the last lines are read, oldest first, and torn ones are passed over', () => {
  for (let nth = 0; nth < 5; nth++) appendDeliveryLog(home, entry(nth))
  fs.appendFileSync(path.join(outbox, 'ledger.jsonl'), '\n{"at":"2026')
  appendDeliveryLog(home, entry(5))
  assert.deepEqual(idsOf(readDeliveryLog(home, 3)), ['session-3', 'session-4', 'session-5'])
  assert.equal(readDeliveryLog(home, 99).length, 6)
  assert.deepEqual(readDeliveryLog(home, 0), [])
})

test('at 2 MB the ledger is put aside, and the one before that goes', () => {
  const ledger = path.join(outbox, 'ledger.jsonl')
  fs.appendFileSync(ledger, ' '.repeat(2 * 1024 * 1024))
  appendDeliveryLog(home, entry(6))
  assert.ok(fs.statSync(ledger).size < 1000)
  assert.deepEqual(idsOf(readDeliveryLog(home, 2)), ['session-5', 'session-6'])
  fs.appendFileSync(ledger, ' '.repeat(2 * 1024 * 1024))
  appendDeliveryLog(home, entry(7))
  assert.deepEqual(idsOf(readDeliveryLog(home, 99)), ['session-6', 'session-7'])
  assert.deepEqual(fs.readdirSync(outbox).sort(), ['ledger.before.jsonl', 'ledger.jsonl'])
})

test('only its owner reads the ledger', () => {
  assert.equal(fs.statSync(path.join(outbox, 'ledger.jsonl')).mode & 0o777, 0o600)
})

function idsOf(entries: DeliveryLogEntry[]): string[] {
  return entries.map(({ id }) => id)
}
