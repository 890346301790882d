import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { diagnoseScreen } from '#host/claude'

const readFixture = (name: string) =>
  fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

test('recorded screens show why claude does not work', () => {
  const table: [file: string, reason: RegExp, needsPerson: boolean][] = [
    ['screen-login.txt', /not logged in/, true],
    ['screen-trust.txt', /trust the folder/, true],
    ['screen-theme.txt', /first-run/, true],
    ['screen-key.txt', /API key/, true],
    ['screen-offline.txt', /cannot reach/, false],
  ]
  for (const [file, reason, needsPerson] of table) {
    const diagnosis = diagnoseScreen(readFixture(file)) ?? assert.fail(file)
    assert.match(diagnosis.reason, reason, file)
    assert.equal(diagnosis.needsPerson, needsPerson, file)
  }
  assert.equal(diagnoseScreen(readFixture('screen-working.txt')), undefined)
  assert.equal(diagnoseScreen(''), undefined)
})
