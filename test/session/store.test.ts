import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { toOneLine } from '#host/text.ts'
import { createSession, findSession, listSessions, recordManifest, SessionManifest } from '#session'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { hostileTasks } from '../fixtures/session/hostile-tasks.ts'

const now = new Date('2026-11-20T23:59:59.999Z')

function createManifest(id: string, openedAt = now.toISOString()): SessionManifest {
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
  createSession(workspace, createManifest(id, openedAt), Buffer.from(task))

function failsWith(exitCode: number, message: RegExp) {
  return (error: unknown) =>
    error instanceof DispatchError && error.exitCode === exitCode && message.test(error.message)
}

/** Create a workspace with these sessions, opened in this order. */
function createWorkspace(t: TestContext, ...ids: string[]): string {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  for (const [index, id] of ids.entries()) open(workspace, id, 'x', new Date(now.getTime() + index).toISOString())
  return workspace
}

test('a draft is no session before its manifest is written', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const id = '2026-11-20-draft-a3f9'
  const draft = createSession(workspace, createManifest(id), Buffer.from('x'), { isDraft: true })
  assert.deepEqual(listSessions(workspace), [])
  assert.throws(() => findSession(workspace, id), { exitCode: 4 })
  assert.throws(
    () => createSession(workspace, createManifest(id), Buffer.from('x')),
    { exitCode: 5 },
    'its id is taken',
  )
  recordManifest(draft)
  assert.equal(findSession(workspace, id).manifest.id, id)
})

test('a task is stored byte for byte and read-only', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  for (const [index, [name, task]] of hostileTasks.entries()) {
    const { paths } = open(workspace, `2026-11-20-${index}`, task)
    const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    assert.equal(sum(fs.readFileSync(paths.task)), sum(Buffer.from(task)), name)
    assert.equal(fs.statSync(paths.task).mode & 0o777, 0o400, name)
  }
})

test('a session is private, and its manifest is read as it was written', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const session = open(workspace, '2026-11-20-a')
  const { id, manifest, paths } = findSession(workspace, session.id)
  assert.deepEqual([id, manifest, paths.folder], [session.id, createManifest(id), session.paths.folder])
  for (const name of ['', ...fs.readdirSync(session.paths.folder)])
    assert.equal(fs.statSync(path.join(session.paths.folder, name)).mode & 0o077, 0, name)
})

test('200 sessions can be created at once', async t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const ids = Array.from({ length: 200 }, (_, index) => `2026-11-20-task-${index}`)
  await Promise.all(ids.map(async id => open(workspace, id, id)))
  const found = listSessions(workspace)
  assert.deepEqual(found.map(session => session.id).sort(), [...ids].sort())
  for (const { id, paths } of found) assert.equal(fs.readFileSync(paths.task, 'utf8'), id)
})

test('an id that is taken is refused (exit 5), and its session is unchanged', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const { paths } = open(workspace, '2026-11-20-a', 'first')
  const before = fs.readdirSync(paths.folder).map(name => fs.statSync(path.join(paths.folder, name)).mtimeMs)
  assert.throws(() => open(workspace, '2026-11-20-a', 'second'), failsWith(5, /2026-11-20-a already exists/))
  assert.equal(fs.readFileSync(paths.task, 'utf8'), 'first')
  assert.deepEqual(
    fs.readdirSync(paths.folder).map(name => fs.statSync(path.join(paths.folder, name)).mtimeMs),
    before,
  )
})

test('a workspace that is a file is a storage error', t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  fs.writeFileSync(workspace, '')
  assert.throws(() => open(workspace, '2026-11-20-a'), failsWith(10, /workspace.*: .*\p{L}{3,} \p{L}/u))
})

test('a session is found by its id, or by a unique beginning or end', t => {
  const workspace = createWorkspace(
    t,
    '2026-11-20-fix-login-a3f9',
    '2026-11-20-fix-logout-b1c2',
    '2026-11-21-fix-login-a3f9x',
  )
  const table: [string, string | [exitCode: number, message: RegExp]][] = [
    ['2026-11-20-fix-login-a3f9', '2026-11-20-fix-login-a3f9'],
    ['a3f9', '2026-11-20-fix-login-a3f9'],
    ['login-a3f9', '2026-11-20-fix-login-a3f9'],
    ['b1c2', '2026-11-20-fix-logout-b1c2'],
    ['2026-11-21', '2026-11-21-fix-login-a3f9x'],
    ['2026-11-20-fix-logo', '2026-11-20-fix-logout-b1c2'],
    ['2026-11-20', [2, /several sessions: 2026-11-20-fix-login-a3f9, 2026-11-20-fix-logout-b1c2/]],
    ['2', [2, /several sessions/]],
    ['f9', [4, /no session "f9"/]],
    ['', [4, /no session ""/]],
    ['..', [4, /no session/]],
    ['../workspace/2026-11-20-fix-login-a3f9', [4, /no session/]],
    ['A3F9', [4, /no session/]],
  ]
  for (const [idOrPart, expected] of table)
    if (typeof expected === 'string') assert.equal(findSession(workspace, idOrPart).id, expected, idOrPart)
    else assert.throws(() => findSession(workspace, idOrPart), failsWith(...expected), idOrPart)
  assert.throws(() => findSession(path.join(workspace, 'nowhere'), 'a3f9'), failsWith(4, /no session/))
})

test('an empty id finds nothing, even if there is only one session', t => {
  const workspace = createWorkspace(t, '2026-11-20-a')
  assert.throws(() => findSession(workspace, ''), failsWith(4, /no session/))
})

test('sessions are listed newest first, without anything that is not one', t => {
  const workspace = createWorkspace(
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
  assert.throws(() => findSession(workspace, '2026-11-20-torn'), failsWith(4, /no session/))
  assert.throws(() => findSession(workspace, 'file'), failsWith(4, /no session/))
})

test('the title of a hostile task is one printable line', () => {
  for (const [name, task] of hostileTasks)
    assert.match(toOneLine(Buffer.from(task).toString('utf8'), 80), /^\P{Cc}{0,80}$/u, name)
})
