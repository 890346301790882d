import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { diagnoseScreen } from '#host/claude'

const readFixture = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

test('recorded screens show whether claude works, and why not', () => {
  const table: [file: string, kind: string, reason: RegExp][] = [
    ['screen-login.txt', 'dialog', /not logged in/],
    ['screen-trust.txt', 'dialog', /trust the folder/],
    ['screen-theme.txt', 'dialog', /first-run/],
    ['screen-key.txt', 'dialog', /API key/],
    ['screen-offline.txt', 'offline', /cannot reach/],
    ['screen-working.txt', 'working', /waits for its model/],
  ]
  for (const [file, kind, reason] of table) {
    const diagnosis = diagnoseScreen(readFixture(file)) ?? assert.fail(file)
    assert.match(diagnosis.reason, reason, file)
    assert.equal(diagnosis.kind, kind, file)
  }
  assert.equal(diagnoseScreen(''), undefined)
})
