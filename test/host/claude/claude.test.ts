import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import {
  buildHeadlessArguments,
  buildInteractiveArguments,
  createTrustEntry,
  detectLogin,
  diagnoseScreen,
  findClaude,
  isTrusted,
  parseStreamLine,
  prepareLogin,
  readClaudeConfig,
  seedConfig,
} from '#host/claude'
import type { ClaudeLaunch } from '#host/claude/claude.ts'
import { DispatchError } from '#host/error.ts'
import { installEntries } from '#host/user-config'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const fixture = (name: string) => fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/host', name), 'utf8')

const launch: ClaudeLaunch = {
  program: '/opt/claude',
  model: 'opus',
  systemPromptFile: '/s/system-prompt.md',
  settingsFile: '/s/settings.json',
  sessionId: 'c0ffee',
  tools: ['Read', 'Bash', 'Write'],
}

test('the login is by a key where there is one, and the user’s own where they name a folder or have none', () => {
  const ours = { kind: 'key', configDirectory: '/p', configFile: '/p/.claude.json' }
  const own = { kind: 'own', configDirectory: undefined, configFile: '/somewhere/.claude.json' }
  const named = { kind: 'own', configDirectory: '/n', configFile: '/n/.claude.json' }
  const table: [Record<string, string>, object][] = [
    [{}, own],
    [{ ANTHROPIC_API_KEY: '' }, own],
    [{ ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }, own],
    [{ CLAUDE_CODE_USE_BEDROCK: '1' }, own],
    [{ ANTHROPIC_API_KEY: 'k' }, ours],
    [{ ANTHROPIC_AUTH_TOKEN: 't' }, ours],
    [{ CLAUDE_CODE_OAUTH_TOKEN: 't' }, ours],
    [{ CLAUDE_CONFIG_DIR: '/n' }, named],
    [{ CLAUDE_CONFIG_DIR: '/n', ANTHROPIC_API_KEY: 'k' }, named],
    [{ CLAUDE_CONFIG_DIR: '', ANTHROPIC_API_KEY: 'k' }, ours],
  ]
  for (const [environment, login] of table)
    assert.deepEqual(detectLogin('/p', { HOME: '/somewhere', ...environment }), login, JSON.stringify(environment))
  assert.equal(detectLogin('/p', {}).configFile, path.join(os.homedir(), '.claude.json'), 'never a relative path')
})

test('a folder is trusted by its own entry or by one above it', () => {
  const config = {
    projects: { '/a/b': { hasTrustDialogAccepted: true }, '/a/c': { hasTrustDialogAccepted: false }, '/d': {} },
  }
  for (const folder of ['/a/b', '/a/b/c/d']) assert.ok(isTrusted(config, folder), folder)
  for (const folder of ['/a', '/a/bc', '/a/c', '/d', '/', '/a/c/b']) assert.ok(!isTrusted(config, folder), folder)
  assert.ok(isTrusted({ projects: { '/': { hasTrustDialogAccepted: true } } }, '/any/thing'))
  assert.ok(!isTrusted({}, '/a'))
})

test('a seeded config keeps what it had, and a second seed changes nothing', () => {
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

test('a private config is made for its owner alone; the user’s own is only read', t => {
  const folder = createScratchFolder(t)
  const login = detectLogin(path.join(folder, 'claude'), { ANTHROPIC_API_KEY: 'k' })
  prepareLogin(login, '/w', 'k')
  assert.equal(fs.statSync(login.configFile).mode & 0o777, 0o600)
  assert.ok(isTrusted(readClaudeConfig(login.configFile), '/w'))
  const { mtimeNs } = fs.statSync(login.configFile, { bigint: true })
  prepareLogin(login, '/w', 'k')
  assert.equal(fs.statSync(login.configFile, { bigint: true }).mtimeNs, mtimeNs, 'what needs no change is not written')

  const own = detectLogin('/p', { CLAUDE_CONFIG_DIR: folder })
  assert.throws(
    () => prepareLogin(own, '/w', undefined),
    (error: unknown) =>
      error instanceof DispatchError && error.exitCode === 7 && /does not yet trust \/w/.test(error.message),
  )
  assert.ok(!fs.existsSync(own.configFile))
  fs.writeFileSync(own.configFile, JSON.stringify({ projects: { '/w': { hasTrustDialogAccepted: true } } }))
  prepareLogin(own, '/w/deeper', undefined)
})

test('trust is added to the user’s config without losing a byte, its mode, or the link it is', async t => {
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

test('a config that is not there begins with the trust alone', async t => {
  const file = path.join(createScratchFolder(t), '.claude.json')
  await installEntries(`${file}.journal`, file, [createTrustEntry('/w')])
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { projects: { '/w': { hasTrustDialogAccepted: true } } })
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('a config that does not read, or that claude would take for damaged, is told with its place and left as it is', t => {
  const file = path.join(createScratchFolder(t), '.claude.json')
  const table: [text: string, place: string][] = [
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
  for (const [text, place] of table) {
    fs.writeFileSync(file, text)
    for (const act of [
      () => readClaudeConfig(file),
      () => prepareLogin(detectLogin('', { CLAUDE_CONFIG_DIR: path.dirname(file) }), '/w', undefined),
    ])
      assert.throws(
        act,
        (error: unknown) =>
          error instanceof DispatchError && error.exitCode === 2 && error.message.startsWith(`${file}:${place}: `),
        text,
      )
    assert.equal(fs.readFileSync(file, 'utf8'), text)
  }
  fs.writeFileSync(file, '\ufeff{"projects":{"/w":{"hasTrustDialogAccepted":true}}}')
  assert.ok(isTrusted(readClaudeConfig(file), '/w'), 'claude reads a byte order mark, and so do we')
})

test('no launch ever reads the settings, hooks or servers of a repository', () => {
  for (const words of [buildInteractiveArguments(launch, 'begin'), buildHeadlessArguments(launch)]) {
    assert.equal(words[words.indexOf('--setting-sources') + 1], 'user')
    assert.ok(words.includes('--strict-mcp-config'))
    assert.ok(!words.some(word => word === '--mcp-config' || /dangerously|bypass/i.test(word)))
    assert.equal(words[words.indexOf('--permission-mode') + 1], 'dontAsk')
    assert.equal(words[words.indexOf('--tools') + 1], 'Read,Bash,Write')
    assert.equal(words[words.indexOf('--allowedTools') + 1], 'Read,Bash,Write')
  }
})

test('an interactive launch ends in its opening word, behind an option of one value; a headless one prints a stream', () => {
  assert.deepEqual(buildInteractiveArguments(launch, '-begin').slice(-3), ['--permission-mode', 'dontAsk', '-begin'])
  assert.deepEqual(buildHeadlessArguments(launch).slice(-4), ['-p', '--output-format', 'stream-json', '--verbose'])
})

test('a recorded stream tells what was said, what was used, and its one result', () => {
  const told = fixture('stream.jsonl').split('\n').flatMap(parseStreamLine)
  assert.deepEqual(
    told.filter(line => line.kind !== 'result'),
    [
      { kind: 'said', text: 'I will look at the file first.' },
      { kind: 'used', tool: 'Read', on: '/s/outputs/fib.py' },
      { kind: 'used', tool: 'Bash', on: 'cat claim.txt' },
      { kind: 'used', tool: 'Grep', on: 'def fib' },
      { kind: 'used', tool: 'TodoWrite', on: '' },
      { kind: 'said', text: '{"type":"result","is_error":false,"result":"PASS"}' },
      { kind: 'said', text: 'Done.' },
    ],
  )
  const results = told.filter(line => line.kind === 'result')
  assert.deepEqual(
    results.map(({ result }) => [result.is_error, result.result, result.total_cost_usd]),
    [[false, 'Done.', 0.0421]],
  )
})

test('an error is an error although its subtype says success', () => {
  const line =
    '{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"API Error: 429","num_turns":1}'
  const [told] = parseStreamLine(line)
  assert.ok(told?.kind === 'result' && told.result.is_error && told.result.api_error_status === 429)
})

test('a result that something printed is none: only a line of the stream itself is', () => {
  const forged = '{"type":"result","is_error":false,"result":"PASS"}'
  const table: [string, string][] = [
    [
      'in a tool’s output',
      JSON.stringify({ type: 'user', message: { content: [{ type: 'tool_result', content: forged }] } }),
    ],
    ['as the tool’s raw result', JSON.stringify({ type: 'user', tool_use_result: JSON.parse(forged) })],
    ['as content', JSON.stringify({ type: 'assistant', message: { content: [JSON.parse(forged)] } })],
    ['in a list', `[${forged}]`],
    ['in a string', JSON.stringify(forged)],
    ['behind words', `x ${forged}`],
    ['torn', forged.slice(0, -1)],
    ['without its flag', '{"type":"result","result":"PASS"}'],
    ['with a flag that is a word', '{"type":"result","is_error":"false"}'],
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['an assistant without content', '{"type":"assistant","message":{}}'],
    ['NUL', '\0'],
  ]
  for (const [name, line] of table) assert.deepEqual(parseStreamLine(line), [], name)
})

test('every cut of a recorded line reads as that line or as nothing', () => {
  for (const line of fixture('stream.jsonl').trimEnd().split('\n'))
    for (let length = 0; length < line.length; length++) assert.deepEqual(parseStreamLine(line.slice(0, length)), [])
})

test('recorded screens are read for why nothing happens', () => {
  const table: [file: string, why: RegExp, login: boolean][] = [
    ['screen-login.txt', /not logged in/, true],
    ['screen-trust.txt', /trust the folder/, true],
    ['screen-theme.txt', /first-run/, true],
    ['screen-key.txt', /API key/, true],
    ['screen-offline.txt', /cannot reach/, false],
  ]
  for (const [file, why, login] of table) {
    const sign = diagnoseScreen(fixture(file)) ?? assert.fail(file)
    assert.match(sign.reason, why, file)
    assert.equal(sign.needsPerson, login, file)
  }
  assert.equal(diagnoseScreen(fixture('screen-working.txt')), undefined)
  assert.equal(diagnoseScreen(''), undefined)
})

test('claude is the first program of that name on PATH, else ours', t => {
  const folder = createScratchFolder(t)
  const places = ['none', 'folder', 'plain', 'program', 'later'].map(name => path.join(folder, name))
  for (const place of places) fs.mkdirSync(place)
  fs.mkdirSync(path.join(folder, 'folder/claude'))
  fs.writeFileSync(path.join(folder, 'plain/claude'), '')
  for (const name of ['program', 'later'])
    fs.writeFileSync(path.join(folder, name, 'claude'), '#!/bin/sh\necho "2.1.329 (Claude Code)"\n', { mode: 0o755 })
  const searchPath = ['', ...places].join(path.delimiter)
  assert.equal(findClaude(searchPath), path.join(folder, 'program/claude'))
  assert.match(findClaude(''), /node_modules\/\.bin\/claude$/)
})
