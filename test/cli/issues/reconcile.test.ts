/** What is told on GitHub of the work on an issue: one comment, which is true. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { IssueMemory, reconcileIssues } from '#cli/issues/reconcile.ts'
import { refuseClosedIssue } from '#cli/issues/refuse-closed.ts'
import { releaseIssue } from '#cli/issues/release.ts'
import { SessionList } from '#cli/issues/session-list.ts'
import { ensureStarted } from '#cli/issues/start.ts'
import { getKey } from '#cli/issues/take-issue.ts'
import { sha256 } from '#host/hash.ts'
import { openQueue, type Queue } from '#queue'
import { createSession, type Session, SessionManifest } from '#session'
import { appendEvent, type EventBody } from '#session/log'
import { type ForgeTest, openForge } from '../../fixtures/forge.ts'
import {
  createIssueMachine,
  createRequest,
  hoursAgo,
  openIssue,
  readClaimTraces,
} from '../../fixtures/issue-machine.ts'
import { listQueue } from '../../fixtures/list-queue.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { testModels } from '../../fixtures/web-sessions.ts'

test('a comment is edited when the work has gone on, and only then', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /^<!-- dispatch:claim .*\n.*it waits in the queue \(q-1\)/)
  const count = github.server.requests.length
  await reconcile()
  assert.equal(github.server.requests.length, count, 'nothing was asked')
  await changeQueue(machine.config.home, async queue => {
    const { process } = globalThis
    const self = { pid: process.pid, startTime: '1', bootId: 'x', place: null } as never
    const claimant = { process: self, capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 9 }
    const [claim] = await queue.claim(claimant)
    assert.ok(claim)
    await queue.settle(claim, { kind: 'needs you', reason: 'it ```does``` not start @mallory' })
  })
  await reconcile()
  assert.equal(issue.comments.length, 1)
  assert.match(
    issue.comments[0]?.body ?? '',
    /does not start by itself[\s\S]*````text\nit ```does```[\s\S]*dispatch queue show q-1/,
  )
})

test('where nothing has changed, each record and the sessions are read once, and no lease is taken', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const { home, workspace } = machine.config
  for (const letters of ['aaaa', 'bbbb']) {
    await machine.take(openIssue(github).number, { startsHere: true })
    const task = { bytes: 1, sha256: sha256(machine.records().at(-1)?.task ?? ''), title: 'x' }
    addSession(workspace, `2026-11-30-say-${letters}`, { task })
  }
  const folder = path.join(home, 'issues')
  const listLeases = () => fs.readdirSync(folder, { recursive: true }).sort()
  await reconcile()
  const leases = listLeases()
  const [opens, lists] = [t.mock.method(fs, 'openSync'), t.mock.method(fs, 'readdirSync')]
  await reconcile()
  const files = opens.mock.calls.map(({ arguments: [file] }) => String(file)).filter(file => file.startsWith(folder))
  const names = fs.readdirSync(folder).filter(name => name.endsWith('.json'))
  assert.deepEqual(
    files,
    names.map(name => path.join(folder, name)),
  )
  assert.equal(lists.mock.calls.filter(({ arguments: [each] }) => each === workspace).length, 1)
  assert.deepEqual(listLeases(), leases)
})

test('a session that is opened within a round is found in it', t => {
  const workspace = createScratchFolder(t)
  const sessions = new SessionList()
  const first = addSession(workspace, '2026-11-30-say-aaaa', {})
  sessions.startRound()
  assert.equal(sessions.findNewestAttempt(workspace, first.id)?.id, first.id)
  const second = addSession(workspace, '2026-11-30-say-bbbb', {})
  assert.equal(sessions.findNewestAttempt(workspace, second.id)?.id, second.id)
})

test('an issue that was closed while it waited is not started, and given back', async t => {
  const github = await openForge(t)
  const { machine, config, reconcile, said } = await openHome(t, github)
  const [closed, open] = [openIssue(github), openIssue(github)]
  for (const { number } of [closed, open]) await machine.start(number)
  closed.state = 'closed'
  await refuseClosedIssue(config, 'q-2')
  await assert.rejects(refuseClosedIssue(config, 'q-1'), { exitCode: 5, message: /#1 is closed/ })
  await reconcile()
  assert.deepEqual((await readClaimTraces(github, closed)).marks, [])
  assert.match(said.join('\n'), /given back, q-1 was taken out/)
  await github.server.goAway()
  open.state = 'closed'
  await refuseClosedIssue(config, 'q-2')
  await github.server.comeBack()
})

test('a secret is never told', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const issue = openIssue(github)
  const { record } = await machine.take(issue.number)
  await ensureStarted(machine.config, record)
  await changeQueue(machine.config.home, async queue => {
    const self = { pid: 1, startTime: '1', bootId: 'x', place: null } as never
    const [claim] = await queue.claim({
      process: self,
      capabilities: [],
      slots: 1,
      roomByRepository: {},
      defaultRoom: 9,
    })
    assert.ok(claim)
    await queue.settle(claim, { kind: 'needs you', reason: `no login with ${SECRET} ${'x'.repeat(3935)} ${SECRET}` })
  })
  await reconcile()
  const body = issue.comments[0]?.body ?? ''
  assert.match(body, /no login with/)
  assert.ok(!body.includes(SECRET.slice(0, 10)), 'also where the text is cut in the midst of one')
})

test('a question on an issue has no value of the ignored files that its session was given', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.take(issue.number, { startsHere: true })
  const { workspace } = machine.config
  const sha = sha256(machine.records().at(-1)?.task ?? '')
  const task = { bytes: 1, sha256: sha, title: 'x' }
  const { paths } = addSession(workspace, '2026-11-30-say-aaaa', { task })
  const opened: EventBody = {
    ...{ type: 'session.opened', format: 1, task, repository: null, uncommittedFiles: 0, models: testModels },
    ...{ maxRounds: 3, allowsJudgedOnly: false },
  }
  const asked: EventBody = { type: 'question.asked', question: 'psql says: Tulip-Garden-42 refused' }
  for (const [index, event] of [opened, asked].entries()) appendEvent(paths.events, event, index, new Date())
  fs.mkdirSync(paths.ignoredFiles)
  fs.writeFileSync(path.join(paths.ignoredFiles, '.env'), 'DATABASE_PASSWORD=Tulip-Garden-42\n')
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /psql says: \[secret withheld: known value\] refused/)
})

test('while GitHub is away nothing is lost, and it is said once', async t => {
  const github = await openForge(t)
  const { machine, reconcile, said, forget } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  github.server.fault = () => 'break off'
  await reconcile()
  await reconcile()
  forget()
  await reconcile()
  const count = () => said.filter(line => /cannot be reached/.test(line)).length
  assert.equal(count(), 1, 'also after a restart')
  github.server.fault = undefined
  forget()
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /it waits in the queue/)
  github.server.fault = () => 'break off'
  await changeQueue(machine.config.home, queue => queue.cancel('q-1', 'you took it out'))
  await reconcile()
  assert.equal(count(), 2, 'it had worked again')
})

test('an item that was taken out gives its issue back', async t => {
  const github = await openForge(t)
  const { machine, reconcile, said } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  await changeQueue(machine.config.home, queue => queue.cancel('q-1', 'you took it out'))
  await reconcile()
  assert.deepEqual(await readClaimTraces(github, issue), { marks: [], branches: 0 })
  assert.match(said.join('\n'), /given back, q-1 was taken out/)
  assert.equal(machine.records()[0]?.state, 'given back')
})

test('a claim that was taken over ends here, and what waits is taken out', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const other = createIssueMachine(t, await github.connect('bob'))
  const issue = openIssue(github)
  await machine.start(issue.number)
  await other.take(issue.number, { takesOver: true })
  await reconcile()
  assert.equal(machine.records()[0]?.state, 'lost')
  const state = await changeQueue(machine.config.home, async queue => (await queue.find('q-1'))?.state)
  assert.equal(state, 'cancelled')
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
})

test('a claim that was cut off is finished, and put into the queue', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const issue = openIssue(github)
  github.server.fault = ({ method, path }) =>
    method === 'POST' && path.endsWith('/comments') ? 'break off' : undefined
  await assert.rejects(machine.take(issue.number), { exitCode: 6 })
  github.server.fault = undefined
  await reconcile()
  const [record] = machine.records()
  assert.deepEqual([record?.state, record?.item], ['claimed', 'q-1'])
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
})

test('the comment follows the newest attempt, and keeps its last words when that is removed', async t => {
  const github = await openForge(t)
  const { machine, reconcile, forget } = await openHome(t, github)
  const { workspace } = machine.config
  const issue = openIssue(github)
  await machine.take(issue.number, { startsHere: true })
  const [record] = machine.records()
  assert.ok(record)
  const task = { bytes: 1, sha256: sha256(record.task), title: 'x' }
  const first = addSession(workspace, '2026-11-30-say-aaaa', { task, openedAt: '2026-11-30T10:00:00.000Z' })
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /session aaaa starts/)
  const retryOf = { session: first.id, outcome: 'FAIL', findings: [], context: '' }
  const second = addSession(workspace, '2026-11-30-say-bbbb', { retryOf, openedAt: '2026-11-30T11:00:00.000Z' })
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /session bbbb starts/)
  assert.equal(machine.records()[0]?.session, second.id)
  fs.rmSync(first.paths.folder, { recursive: true })
  fs.rmSync(second.paths.folder, { recursive: true })
  forget()
  await reconcile()
  assert.match(issue.comments[0]?.body ?? '', /session bbbb starts/)
  assert.deepEqual([machine.records()[0]?.state, machine.records()[0]?.reason], ['ended', 'its session was removed'])
})

test('a session that ended a week ago is followed no longer, also by a process that goes on', async t => {
  const github = await openForge(t)
  const { machine, reconcile } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.take(issue.number, { startsHere: true })
  const [record] = machine.records()
  assert.ok(record)
  const task = { bytes: 1, sha256: sha256(record.task), title: 'x' }
  const { paths } = addSession(machine.config.workspace, '2026-11-30-say-aaaa', { task })
  const closed = { seq: 1, type: 'session.closed', actor: 'user', reason: '', time: hoursAgo(7 * 24 - 0.5) }
  fs.writeFileSync(paths.events, `${JSON.stringify(closed)}\n`)
  await reconcile()
  await reconcile()
  assert.equal(machine.records()[0]?.state, 'claimed')
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
  await reconcile()
  assert.deepEqual([machine.records()[0]?.state, machine.records()[0]?.reason], ['ended', 'its session has ended'])
})

test('a damaged record is named and set aside, and holds up no other issue', async t => {
  const github = await openForge(t)
  const { machine, reconcile, said } = await openHome(t, github)
  const [broken, whole] = [openIssue(github), openIssue(github)]
  for (const { number } of [broken, whole]) await machine.start(number)
  const folder = path.join(machine.config.home, 'issues')
  const file = fs.readdirSync(folder).find(name => name.endsWith(`+${broken.number}.json`)) ?? ''
  fs.writeFileSync(path.join(folder, file), '{"host":')
  assert.equal(machine.records().length, 1, 'the others are listed')
  await reconcile()
  await reconcile()
  assert.equal(said.filter(line => line.includes(`${file}.damaged`)).length, 1)
  assert.match(whole.comments[0]?.body ?? '', /it waits in the queue/)
  assert.ok(fs.existsSync(path.join(folder, `${file}.damaged`)))
})

test('a record of an earlier dispatch is read, and one of a later dispatch stays as it is', async t => {
  const github = await openForge(t)
  const { machine, reconcile, said } = await openHome(t, github)
  const [earlier, later] = [openIssue(github), openIssue(github)]
  for (const { number } of [earlier, later]) await machine.start(number)
  const change = (issue: { number: number }, edit: (record: Record<string, unknown>) => object) => {
    const folder = path.join(machine.config.home, 'issues')
    const file = path.join(folder, fs.readdirSync(folder).find(name => name.endsWith(`+${issue.number}.json`)) ?? '')
    fs.writeFileSync(file, JSON.stringify(edit(JSON.parse(fs.readFileSync(file, 'utf8')))))
    return file
  }
  change(earlier, ({ trigger, commentHash, ...rest }) => ({ ...rest, gate: trigger, told: commentHash }))
  const file = change(later, record => ({ ...record, state: 'postponed' }))
  await reconcile()
  await reconcile()
  assert.match(earlier.comments[0]?.body ?? '', /it waits in the queue/)
  assert.equal(machine.records()[0]?.trigger.kind, 'command')
  assert.ok(fs.existsSync(file))
  assert.equal(said.filter(line => /that this version of dispatch cannot read/.test(line)).length, 1)
})

test('after a lost queue the work goes on, in its order, and other work with the same id is left alone', async t => {
  const github = await openForge(t)
  const { machine, config, reconcile, said } = await openHome(t, github)
  const [first, second] = [openIssue(github), openIssue(github)]
  await machine.start(first.number)
  const { buildItem } = createRequest(machine.forge, second.number)
  const { record } = await machine.take(second.number, {
    buildItem: async task => ({ ...(await buildItem(task)), after: ['q-1'] }),
  })
  await ensureStarted(config, record)
  for (const name of fs.readdirSync(config.home).filter(name => name.startsWith('queue.db')))
    fs.rmSync(path.join(config.home, name))
  const other = { ...(await buildItem(Buffer.from('x'))), title: 'other' }
  await changeQueue(config.home, queue => queue.enqueue([other]))
  await reconcile()
  const items = await listQueue(config.home)
  assert.deepEqual(
    items.map(({ id, after }) => [id, after]),
    [
      ['q-1', []],
      ['q-2', []],
      ['q-3', ['q-2']],
    ],
  )
  assert.match(first.comments[0]?.body ?? '', /it waits in the queue \(q-2\)/)
  assert.match(said.join('\n'), /q-1 is not in the queue any more; it goes on as q-2/)
  await releaseIssue(config, getKey(machine.forge, first.number))
  assert.deepEqual(
    (await listQueue(config.home)).map(({ state }) => state),
    ['waiting', 'cancelled', 'waiting'],
  )
})

test('an issue that fails each time holds up no other, and is said once', async t => {
  const github = await openForge(t)
  const { machine, reconcile, forget, said } = await openHome(t, github)
  const [bad, good] = [openIssue(github), openIssue(github)]
  for (const { number } of [bad, good]) await machine.start(number)
  const id = bad.comments[0]?.id
  for (const status of [422, 403]) {
    said.length = 0
    github.server.fault = ({ method, path }) =>
      method === 'PATCH' && path.endsWith(`/comments/${id}`) ? { status, body: { message: `no ${status}` } } : undefined
    for (const priority of ['high', 'low', 'critical'] as const) {
      await changeQueue(machine.config.home, queue => queue.cancel('q-9', priority))
      await reconcile()
      forget()
    }
    assert.equal(said.filter(line => line.includes(`no ${status}`)).length, 1, said.join('\n'))
  }
  assert.match(good.comments[0]?.body ?? '', /it waits in the queue/)
})

test('a claim that is lost for good is not said to go on later', async t => {
  const github = await openForge(t)
  const { machine, reconcile, said } = await openHome(t, github)
  const other = createIssueMachine(t, await github.connect('bob'))
  const issue = openIssue(github)
  github.server.fault = ({ method, path }) =>
    method === 'POST' && path.endsWith('/comments') ? 'break off' : undefined
  await assert.rejects(machine.take(issue.number), { exitCode: 6 })
  github.server.fault = undefined
  await other.take(issue.number, { takesOver: true })
  await reconcile()
  assert.match(said.join('\n'), /is claimed: @bob/)
  assert.doesNotMatch(said.join('\n'), /later/)
})

const SECRET = 'AIzaSy-distinctive-value-0123456789'

function addSession(workspace: string, id: string, changes: Partial<SessionManifest>): Session {
  const manifest = SessionManifest.parse({
    ...{ format: 1, id, openedAt: '2026-11-30T10:00:00.000Z', repository: null, maxRounds: 3, allowsJudgedOnly: false },
    task: { bytes: 1, sha256: '', title: 'x' },
    models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'g' },
    claude: { program: '/nowhere/claude', sessionId: 'orchestrator-session', configDirectory: null },
    ...changes,
  })
  return createSession(workspace, manifest, Buffer.from('x'))
}

async function openHome(t: TestContext, github: ForgeTest) {
  const machine = createIssueMachine(t, await github.connect('ada'))
  const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
  const login = { GITHUB_TOKEN: token, GITHUB_API_URL: github.server.apiUrl, GEMINI_API_KEY: SECRET }
  const config = { ...machine.config, ...login }
  const said: string[] = []
  let memory = new IssueMemory(config.home)
  return {
    machine,
    config,
    said,
    reconcile: () => reconcileIssues(config, memory, line => said.push(line)),
    /** As a new process: it rests no longer. */
    forget() {
      memory = new IssueMemory(config.home)
    },
  }
}

async function changeQueue<Result>(home: string, change: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
  try {
    return await change(queue)
  } finally {
    queue.close()
  }
}
