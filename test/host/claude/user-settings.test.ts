import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readUserSettings } from '#host/claude'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('of your settings agents keep how to reach the model and how it answers, and name what is left out', t => {
  const file = path.join(createScratchFolder(t), 'settings.json')
  const settings = {
    env: {
      ANTHROPIC_BASE_URL: 'https://gateway.example',
      ANTHROPIC_AUTH_TOKEN: 't',
      MAX_THINKING_TOKENS: 8000,
      MY_SECRET: 's',
    },
    apiKeyHelper: '/bin/key',
    alwaysThinkingEnabled: true,
    model: 'opus',
    hooks: { Stop: [] },
    statusLine: { type: 'command', command: 'x' },
    enabledPlugins: { a: true },
  }
  fs.writeFileSync(file, `// a comment\n${JSON.stringify(settings)}`)
  assert.deepEqual(readUserSettings(file), {
    file,
    variables: {
      ANTHROPIC_BASE_URL: 'https://gateway.example',
      ANTHROPIC_AUTH_TOKEN: 't',
      MAX_THINKING_TOKENS: '8000',
    },
    keyProgram: '/bin/key',
    kept: { alwaysThinkingEnabled: true },
    leftOut: ['hooks', 'statusLine', 'enabledPlugins'],
  })
})

test('settings that claude could not read either set nothing', t => {
  const folder = createScratchFolder(t)
  const nothing = { variables: {}, keyProgram: undefined, kept: {}, leftOut: [] }
  for (const text of [undefined, '', '[]', '{ broken', '{"env":[]}', '{"env":{"ANTHROPIC_BASE_URL":{}}}']) {
    const file = path.join(folder, 'settings.json')
    if (text !== undefined) fs.writeFileSync(file, text)
    assert.deepEqual(readUserSettings(file), { file, ...nothing }, text)
  }
})
