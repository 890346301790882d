import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { toOneLine } from '#host/text.ts'
import {
  createSession,
  createSessionId,
  findSession,
  isSessionId,
  isWorkerName,
  listSessions,
  SessionManifest,
} from '#session'
import { createScratchFolder } from '../fixtures/scratch.ts'

const now = new Date('2026-11-20T23:59:59.999Z')

const hostile: [name: string, task: Uint8Array | string][] = [
  ...['fix the login bug', ' ', '\n', '.', '-', '--help', '-rf /', ';', 'a;', '$(touch X)', '`touch X`', '#(touch X)'],
  ...[
    '#{pane_id}',
    "'",
    '"',
    '\\',
    '\\n',
    '!!',
    '%s%n',
    '{{7*7}}',
    '<% %>',
    '$'.concat('{7*7}'),
    '../../..',
    '~',
    '*',
    '@file',
  ],
  ...[
    '/clear',
    '!ls',
    'C-c',
    'Enter',
    '\x1b[2J',
    '\x1b]52;c;eA==\x07',
    '\x07',
    'a\r\nb\r\n',
    'a\rb',
    '\ufeffx',
    '---\na: 1\n---',
  ],
  ...[
    '👨‍👩‍👧‍👦',
    '🏳️‍🌈🏳️‍🌈',
    'مرحبا بالعالم',
    '\u202egpj.exe',
    'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L',
    '日本語のタスク',
    'ÅNGSTRÖM Éclair ﬁx',
    '𝐟𝐢𝐱 𝐢𝐭',
    'İstanbul',
  ],
  ...[
    'constructor',
    '__proto__',
    'con',
    'nul',
    '.git',
    '..',
    'a:b',
    'a.b',
    'ｆｕｌｌ　ｗｉｄｔｈ',
    '\u200b\u200b',
    '\u{e0041}\u{e0042}',
  ],
].map(task => [JSON.stringify(task), task] as [string, string])
hostile.push(
  ['a MiB of one letter', 'x'.repeat(1024 * 1024)],
  ['a MiB of words', 'word '.repeat(200_000)],
  ['a MiB of blanks and one word', `${' '.repeat(1024 * 1024 - 1)}x`],
  ['ten thousand lines', 'line\n'.repeat(10_000)],
  ['bytes that are no UTF-8', Uint8Array.from([0xff, 0xfe, 0x80, 0xc3, 0x28, 0xed, 0xa0, 0x80])],
)

function openingOf(id: string, openedAt = now.toISOString()): SessionManifest {
  const models = { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'gemini' }
  return SessionManifest.parse({
    format: 1,
    id,
    openedAt,
    task: { bytes: 0, sha256: '', title: 'x' },
    repository: null,
    models,
    maxRounds: 3,
    allowsJudgedOnly: false,
    claude: { program: 'claude', sessionId: 'x', configDirectory: null },
  })
}

const open = (workspace: string, id: string, task: Uint8Array | string = 'x', openedAt?: string) =>
  createSession(workspace, openingOf(id, openedAt), Buffer.from(task))

function fails(exit: number, words: RegExp) {
  return (error: unknown) => error instanceof DispatchError && error.exitCode === exit && words.test(error.message)
}

/** A workspace with these sessions, opened in this order. */
function workspaceWith(t: TestContext, ...ids: string[]): string {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  for (const [index, id] of ids.entries()) open(workspace, id, 'x', new Date(now.getTime() + index).toISOString())
  return workspace
}

test('a name says the task and is safe in tmux, in a path and in a URL, whatever the task', () => {
  for (const [name, task] of hostile) {
    const id = createSessionId(Buffer.from(task).toString('utf8'), now, 'a3f9')
    assert.match(id, /^2026-11-20(-[a-z0-9]+)*-a3f9$/, name)
    assert.ok(isSessionId(id) && id.length <= 50 && encodeURIComponent(id) === id, `${name}: ${id}`)
  }
  const table = [
    ['fix the login bug', '2026-11-20-fix-login-bug-a3f9'],
    ['Please ADD a --verbose flag to the tool, now', '2026-11-20-add-verbose-flag-tool-a3f9'],
    ['👨‍👩‍👧‍👦', '2026-11-20-a3f9'],
    ['Éclair Ångström', '2026-11-20-eclair-angstrom-a3f9'],
    ['a'.repeat(99), `2026-11-20-${'a'.repeat(32)}-a3f9`],
  ] as const
  for (const [task, id] of table) assert.equal(createSessionId(task, now, 'a3f9'), id)
})

test('names sort by their day', () => {
  const days = ['2025-12-31', '2026-01-01', '2026-09-30', '2026-10-01']
  const ids = days.map((day, index) => createSessionId(`task ${9 - index}`, new Date(day)))
  assert.deepEqual([...ids].sort(), ids)
})

test('only a name of ours is an id', () => {
  for (const text of [
    '',
    'x',
    '2026-11-20',
    '2026-11-20-',
    '2026-11-20-A',
    '2026-11-20-a/b',
    '2026-11-20-a.b',
    '../x',
    '2026-11-20-a\n',
  ])
    assert.ok(!isSessionId(text), JSON.stringify(text))
  assert.ok(isSessionId('2026-11-20-a'))
})

test('a worker may not be called what something else is called, or anything unsafe', () => {
  for (const name of [
    'runner',
    'orchestrator',
    '',
    'A',
    '1a',
    '-a',
    'a b',
    'a.b',
    'a:b',
    'a/b',
    'ä',
    'a\n',
    'a'.repeat(25),
  ])
    assert.ok(!isWorkerName(name), JSON.stringify(name))
  for (const name of ['a', 'code-1', 'a'.repeat(24)]) assert.ok(isWorkerName(name), name)
})

test('a task is kept byte for byte, and nobody writes it again', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  for (const [index, [name, task]] of hostile.entries()) {
    const { paths } = open(workspace, `2026-11-20-${index}`, task)
    const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    assert.equal(sum(fs.readFileSync(paths.task)), sum(Buffer.from(task)), name)
    assert.equal(fs.statSync(paths.task).mode & 0o777, 0o400, name)
  }
})

test('a session is its owner’s alone, and reads as it was opened', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const session = open(workspace, '2026-11-20-a')
  const { id, manifest, paths } = findSession(workspace, session.id)
  assert.deepEqual([id, manifest, paths.folder], [session.id, openingOf(id), session.paths.folder])
  for (const name of ['', ...fs.readdirSync(session.paths.folder)])
    assert.equal(fs.statSync(path.join(session.paths.folder, name)).mode & 0o077, 0, name)
})

test('200 sessions opened at once are 200 sessions', async t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const ids = Array.from({ length: 200 }, (_, index) => `2026-11-20-task-${index}`)
  await Promise.all(ids.map(async id => open(workspace, id, id)))
  const found = listSessions(workspace)
  assert.deepEqual(found.map(session => session.id).sort(), [...ids].sort())
  for (const { id, paths } of found) assert.equal(fs.readFileSync(paths.task, 'utf8'), id)
})

test('a name that is taken is refused (exit 5), and the first stays as it was', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const { paths } = open(workspace, '2026-11-20-a', 'first')
  const before = fs.readdirSync(paths.folder).map(name => fs.statSync(path.join(paths.folder, name)).mtimeMs)
  assert.throws(() => open(workspace, '2026-11-20-a', 'second'), fails(5, /2026-11-20-a exists already/))
  assert.equal(fs.readFileSync(paths.task, 'utf8'), 'first')
  assert.deepEqual(
    fs.readdirSync(paths.folder).map(name => fs.statSync(path.join(paths.folder, name)).mtimeMs),
    before,
  )
})

test('a workspace that is a file is a storage error in words', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  fs.writeFileSync(workspace, '')
  assert.throws(() => open(workspace, '2026-11-20-a'), fails(10, /workspace.*: .*\p{L}{3,} \p{L}/u))
})

test('a session is found by its id, its beginning or its end, and never by less than one', t => {
  const workspace = workspaceWith(
    t,
    '2026-11-20-fix-login-a3f9',
    '2026-11-20-fix-logout-b1c2',
    '2026-11-21-fix-login-a3f9x',
  )
  const table: [string, string | [exit: number, words: RegExp]][] = [
    ['2026-11-20-fix-login-a3f9', '2026-11-20-fix-login-a3f9'],
    ['a3f9', '2026-11-20-fix-login-a3f9'],
    ['login-a3f9', '2026-11-20-fix-login-a3f9'],
    ['b1c2', '2026-11-20-fix-logout-b1c2'],
    ['2026-11-21', '2026-11-21-fix-login-a3f9x'],
    ['2026-11-20-fix-logo', '2026-11-20-fix-logout-b1c2'],
    ['2026-11-20', [2, /could be 2026-11-20-fix-login-a3f9, 2026-11-20-fix-logout-b1c2/]],
    ['2', [2, /could be/]],
    ['f9', [4, /no session "f9"/]],
    ['', [4, /no session ""/]],
    ['..', [4, /no session/]],
    ['../workspace/2026-11-20-fix-login-a3f9', [4, /no session/]],
    ['A3F9', [4, /no session/]],
  ]
  for (const [named, wanted] of table)
    if (typeof wanted === 'string') assert.equal(findSession(workspace, named).id, wanted, named)
    else assert.throws(() => findSession(workspace, named), fails(...wanted), named)
  assert.throws(() => findSession(path.join(workspace, 'nowhere'), 'a3f9'), fails(4, /no session/))
})

test('an empty name finds nothing even where there is one session only', t => {
  const workspace = workspaceWith(t, '2026-11-20-a')
  assert.throws(() => findSession(workspace, ''), fails(4, /no session/))
})

test('the newest session comes first, and what is no session is passed over', t => {
  const workspace = workspaceWith(
    t,
    '2026-11-20-b',
    '2026-11-20-a',
    '2026-11-20-c',
    '2026-11-20-torn',
    '2026-11-20-foreign',
  )
  const record = (id: string) => path.join(workspace, id, 'session.json')
  fs.truncateSync(record('2026-11-20-torn'), 40)
  fs.writeFileSync(record('2026-11-20-foreign'), '{"format":2}')
  fs.mkdirSync(path.join(workspace, '2026-11-20-opening'))
  fs.mkdirSync(path.join(workspace, 'notes'))
  fs.writeFileSync(path.join(workspace, '2026-11-20-file'), '')
  assert.deepEqual(
    listSessions(workspace).map(session => session.id),
    ['2026-11-20-c', '2026-11-20-a', '2026-11-20-b'],
  )
  assert.throws(() => findSession(workspace, '2026-11-20-torn'), fails(4, /no session/))
  assert.throws(() => findSession(workspace, 'file'), fails(4, /no session/))
})

test('the title of a hostile task is one printable line', () => {
  for (const [name, task] of hostile)
    assert.match(toOneLine(Buffer.from(task).toString('utf8'), 80), /^\P{Cc}{0,80}$/u, name)
})
