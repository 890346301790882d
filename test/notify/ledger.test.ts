import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type Entry, readLedger } from '../../notify/index.ts'
import { enter } from '../../notify/ledger.ts'
import { newHome } from './home.ts'

const home = newHome()
const outbox = path.join(home, 'outbox')
fs.mkdirSync(outbox)
after(() => fs.rmSync(home, { recursive: true }))

const entry = (nth: number): Entry => ({
  at: new Date().toISOString(),
  id: `session-${nth}`,
  of: 'session',
  channel: 'phone',
  what: 'sent',
  why: '',
})

test('no ledger is an empty one', () => assert.deepEqual(readLedger(home, 5), []))

test('the last lines are read, oldest first, and torn ones are passed over', () => {
  for (let nth = 0; nth < 5; nth++) enter(home, entry(nth))
  fs.appendFileSync(path.join(outbox, 'ledger.jsonl'), '\n{"at":"2026')
  enter(home, entry(5))
  assert.deepEqual(idsOf(readLedger(home, 3)), ['session-3', 'session-4', 'session-5'])
  assert.equal(readLedger(home, 99).length, 6)
  assert.deepEqual(readLedger(home, 0), [])
})

test('at 2 MB the ledger is put aside, and the one before that goes', () => {
  const ledger = path.join(outbox, 'ledger.jsonl')
  fs.appendFileSync(ledger, ' '.repeat(2 * 1024 * 1024))
  enter(home, entry(6))
  assert.ok(fs.statSync(ledger).size < 1000)
  assert.deepEqual(idsOf(readLedger(home, 2)), ['session-5', 'session-6'])
  fs.appendFileSync(ledger, ' '.repeat(2 * 1024 * 1024))
  enter(home, entry(7))
  assert.deepEqual(idsOf(readLedger(home, 99)), ['session-6', 'session-7'])
  assert.deepEqual(fs.readdirSync(outbox).sort(), ['ledger.before.jsonl', 'ledger.jsonl'])
})

test('only its owner reads the ledger', () => {
  assert.equal(fs.statSync(path.join(outbox, 'ledger.jsonl')).mode & 0o777, 0o600)
})

function idsOf(entries: Entry[]): string[] {
  return entries.map(({ id }) => id)
}
