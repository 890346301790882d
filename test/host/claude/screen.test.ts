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

test('a model that the relay cannot reach is out of reach, and one that fails has refused', () => {
  const show = (words: string) => diagnoseScreen(`● hello\n\n✻ ${words} · retrying in 2s · attempt 3/10\n`)
  for (const words of [
    '502 dispatch cannot reach the model at llm.corp: ENOTFOUND getaddrinfo ENOTFOUND llm.corp',
    "Can't reach the API server — check your internet or DNS (ENOTFOUND)",
    'No internet route — check your connection or VPN (ENETUNREACH)',
  ])
    assert.deepEqual(show(words), { kind: 'offline', reason: 'claude cannot reach its model' }, words)
  assert.deepEqual(show('502 Bad Gateway'), { kind: 'refused', reason: '502 Bad Gateway', status: 502, attempt: 3 })
})
