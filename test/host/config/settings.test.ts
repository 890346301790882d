import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSettingName, secretSettings } from '#host/config'
import { formatSetting, suggestSetting } from '#host/config/settings.ts'

test('a name of Object.prototype is not a setting', () => {
  assert.ok(isSettingName('ROUNDS'))
  for (const name of ['rounds', 'constructor', '__proto__', 'toString']) assert.ok(!isSettingName(name), name)
})

test('the secrets are the keys, the topic, the tokens and the webhook', () => {
  assert.deepEqual(secretSettings.toSorted(), [
    'GEMINI_API_KEY',
    'GITHUB_APP_KEY_FILE',
    'GITHUB_TOKEN',
    'NTFY_TOKEN',
    'NTFY_TOPIC',
    'WEBHOOK_URL',
  ])
})

test('a shown setting is short, escaped, and without a secret', () => {
  assert.equal(formatSetting('ROUNDS', '99'), 'ROUNDS=99')
  assert.equal(formatSetting('ROUNDS', 'a b'), 'ROUNDS="a b"')
  assert.equal(formatSetting('ROUNDS', 'x'.repeat(100)), `ROUNDS=${'x'.repeat(60)}…`)
  assert.equal(formatSetting('NTFY_TOKEN', 'tk_x'), 'NTFY_TOKEN')
  assert.equal(formatSetting('NTFY_SERVER', 'https://u:p@host'), 'NTFY_SERVER')
})

test('a misspelled name suggests the nearest setting', () => {
  const cases: [string, string | undefined][] = [
    ['ROUND', 'ROUNDS'],
    ['webui-port', 'WEBUI_PORT'],
    ['NTFY_TOPICS', 'NTFY_TOPIC'],
    ['COLOUR', undefined],
    ['X'.repeat(1000), undefined],
  ]
  for (const [name, suggestion] of cases) assert.equal(suggestSetting(name), suggestion, name.slice(0, 20))
})
