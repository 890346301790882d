import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { createTrustEntry, detectLogin, isTrusted, prepareLogin, readClaudeConfig, seedConfig } from '#host/claude'
import { DispatchError } from '#host/error.ts'
import { installEntries } from '#host/user-config'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a folder is trusted by its own entry or by one above it', () => {
  const config = {
    projects: { '/a/b': { hasTrustDialogAccepted: true }, '/a/c': { hasTrustDialogAccepted: false }, '/d': {} },
  }
  for (const folder of ['/a/b', '/a/b/c/d']) assert.ok(isTrusted(config, folder), folder)
  for (const folder of ['/a', '/a/bc', '/a/c', '/d', '/', '/a/c/b']) assert.ok(!isTrusted(config, folder), folder)
  assert.ok(isTrusted({ projects: { '/': { hasTrustDialogAccepted: true } } }, '/any/thing'))
  assert.ok(!isTrusted({}, '/a'))
})

test('seeding keeps what was there, and a second pass changes nothing', () => {
  const before = {
    theme: 'dark',
    customApiKeyResponses: { approved: ['old'], rejected: ['no'], more: 1 },
    projects: { '/other': { history: [1] }, '/w': { allowedTools: ['x'] } },
  }
  const after = seedConfig(before, '/w', `sk-ant-${'k'.repeat(30)}`)
  assert.deepEqual(after, {
    theme: 'dark',
    hasCompletedOnboarding: true,
    customApiKeyResponses: { approved: ['old', 'k'.repeat(20)], rejected: ['no'], more: 1 },
    projects: { '/other': { history: [1] }, '/w': { allowedTools: ['x'], hasTrustDialogAccepted: true } },
  })
  assert.deepEqual(seedConfig(after, '/w', `sk-ant-${'k'.repeat(30)}`), after)
  assert.ok(!JSON.stringify(after).includes('sk-ant'), 'the key itself is never written')
  assert.ok(isTrusted(seedConfig({}, '/w', undefined), '/w'))
})

test('adding trust keeps every byte, the mode and the link', async t => {
  const folder = createScratchFolder(t)
  const [target, link] = [path.join(folder, 'dotfiles.json'), path.join(folder, '.claude.json')]
  const before = {
    numStartups: 7,
    oauthAccount: { uuid: 'x' },
    projects: { '/w': { history: ['“q”'], hasTrustDialogAccepted: false }, '/o': { mcpServers: {} } },
    tipsHistory: { a: [null, true, 1.5] },
  }
  for (const mode of [0o600, 0o644, 0o664]) {
    fs.rmSync(folder, { recursive: true })
    fs.mkdirSync(folder)
    fs.writeFileSync(target, JSON.stringify(before))
    fs.chmodSync(target, mode)
    fs.symlinkSync('dotfiles.json', link)
    await installEntries(path.join(folder, 'journal'), link, [createTrustEntry('/w'), createTrustEntry('/new')])
    assert.ok(fs.lstatSync(link).isSymbolicLink())
    assert.equal(fs.statSync(target).mode & 0o777, mode)
    assert.deepEqual(readClaudeConfig(link), {
      ...before,
      projects: {
        '/w': { history: ['“q”'], hasTrustDialogAccepted: true },
        '/o': { mcpServers: {} },
        '/new': { hasTrustDialogAccepted: true },
      },
    })
    assert.deepEqual(fs.readdirSync(folder).sort(), ['.claude.json', 'dotfiles.json', 'journal'])
  }
})

test('a config that does not exist starts with the trust entry alone', async t => {
  const file = path.join(createScratchFolder(t), '.claude.json')
  await installEntries(`${file}.journal`, file, [createTrustEntry('/w')])
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { projects: { '/w': { hasTrustDialogAccepted: true } } })
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('an invalid config is exit 2 with its position, and stays as it is', t => {
  const file = path.join(createScratchFolder(t), '.claude.json')
  const table: [text: string, position: string][] = [
    ['', '1:1'],
    ['{', '1:2'],
    ['[]', '1:1'],
    ['null', '1:1'],
    ['"x"', '1:1'],
    ['{"a":1,}', '1:7'],
    ['{"a": "// no comment",\n "b": [1,\n]}', '2:9'],
    ['// c\n{}', '1:1'],
    ['{"a": 1}\n/* c */', '2:1'],
    ['{"projects":[]}', '1:2'],
    ['{"projects":{"/w":7}}', '1:14'],
  ]
  for (const [text, position] of table) {
    fs.writeFileSync(file, text)
    for (const read of [
      () => readClaudeConfig(file),
      () => prepareLogin(detectLogin('', { CLAUDE_CONFIG_DIR: path.dirname(file) }), '/w', undefined),
    ])
      assert.throws(
        read,
        (error: unknown) =>
          error instanceof DispatchError && error.exitCode === 2 && error.message.startsWith(`${file}:${position}: `),
        text,
      )
    assert.equal(fs.readFileSync(file, 'utf8'), text)
  }
  fs.writeFileSync(file, '\ufeff{"projects":{"/w":{"hasTrustDialogAccepted":true}}}')
  assert.ok(isTrusted(readClaudeConfig(file), '/w'), 'a byte order mark is accepted, as claude accepts it')
})
