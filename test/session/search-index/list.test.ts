import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { acquireLease } from '#host/lease'
import { identify } from '#host/process'
import type { Session } from '#session'
import { appendEvent, type EventBody } from '#session/log'
import { resolveSessionPaths } from '#session/paths.ts'
import { listNewestSessions, readView, type SessionView } from '#session/readonly.ts'
import { prepareRepository } from '#session/repository'
import { listOpenSessions, listSessionPage, type SessionQuery } from '#session/search-index'
import { openIndex } from '#session/search-index/database.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession, createVerdictEvent, sealedEvent } from '../../fixtures/web-sessions.ts'

const closed: EventBody = { type: 'session.closed', actor: 'you', reason: 'dispatch stop' }

/** A home with sessions: closed after PASS, closed after FAIL, waiting for a person, and closed without a verdict. */
async function createHome(t: TestContext) {
  const home = createScratchFolder(t)
  const workspace = path.join(home, 'workspace')
  const create = (letters: string, minutesAgo: number, title: string, events: EventBody[]) =>
    createTestSession(workspace, `2026-11-20-index-${letters}`, { title, minutesAgo, events })
  await create('aaaa', 50, 'Print Grüße', [sealedEvent, createVerdictEvent('FAIL', 'C1 is red'), closed])
  await create('bbbb', 40, 'Sort the list', [{ type: 'human.needed', reason: 'lost' }])
  await create('cccc', 30, 'Print the date', [closed])
  await create('dddd', 20, 'Print hello', [sealedEvent, createVerdictEvent('FAIL', 'C1 is red'), closed])
  const list = async (query: SessionQuery = {}) => {
    const page = await listSessionPage({ home, workspace }, query)
    assert.equal(page.problem, undefined)
    return page.views.map(({ session }) => session.id.slice(-4)).join(' ')
  }
  return {
    home,
    workspace,
    create,
    list,
    find: (letters: string) => path.join(workspace, `2026-11-20-index-${letters}`),
  }
}

const append = (folder: string, event: EventBody) =>
  appendEvent(path.join(folder, 'events.jsonl'), event, 99, new Date())

test('the newest first, by state, by age and by words', async t => {
  const { home, workspace, list } = await createHome(t)
  assert.equal(await list(), 'dddd cccc bbbb aaaa')
  assert.equal(await list({ states: ['fail'] }), 'dddd aaaa')
  assert.equal(await list({ states: ['FAIL', 'needs you'] }), 'dddd bbbb aaaa')
  assert.equal(await list({ states: ['planning'] }), '')
  assert.equal(await list({ states: [] }), '')
  assert.equal(await list({ search: 'PRINT' }), 'dddd cccc aaaa')
  assert.equal(await list({ search: 'grüße print' }), 'aaaa')
  assert.equal(await list({ search: "it's %" }), '')
  assert.equal(await list({ since: new Date(Date.now() - 35 * 60_000).toISOString() }), 'dddd cccc')
  const page = await listSessionPage({ home, workspace }, { limit: 3 })
  assert.deepEqual([page.views.length, page.moreCount], [3, 1])
})

test('what the index returns is what the files say', async t => {
  const { home, workspace, find, create, list } = await createHome(t)
  await list()
  append(find('bbbb'), closed)
  append(find('cccc'), createVerdictEvent('INCONCLUSIVE', 'asked again'))
  fs.rmSync(find('dddd'), { recursive: true })
  await create('eeee', 1, 'Print it', [])
  for (const { session, ...view } of (await listSessionPage({ home, workspace }, {})).views)
    assert.equal(JSON.stringify(view), JSON.stringify(omitSession(await readView(session))), session.id)
  assert.equal(await list(), 'eeee cccc bbbb aaaa')
  assert.equal(await list({ states: ['stopped'] }), 'bbbb', 'one that has ended is read again when it is shown')
})

const omitSession = ({ session: _, ...view }: Awaited<ReturnType<typeof readView>>) => view

test('a session that has ended is looked at again where there is time for it', async t => {
  const { home, workspace, find, list } = await createHome(t)
  await list()
  append(find('cccc'), createVerdictEvent('INCONCLUSIVE', 'asked again'))
  assert.equal(await list({ states: ['INCONCLUSIVE'] }), '')
  await listOpenSessions({ home, workspace }, { isThorough: true })
  assert.equal(await list({ states: ['INCONCLUSIVE'] }), 'cccc')
})

test('the sessions that have not ended, and those in which something has happened', async t => {
  const { home, workspace, find } = await createHome(t)
  const listOpen = async (options = {}) =>
    (await listOpenSessions({ home, workspace }, options)).map(({ session }) => session.id.slice(-4)).join(' ')
  assert.equal(await listOpen(), 'bbbb')
  assert.equal(await listOpen({ orSince: new Date(Date.now() - 31 * 60_000).toISOString() }), 'dddd cccc bbbb')
  append(find('bbbb'), closed)
  assert.equal(await listOpen(), '')
})

test('a runner that lives is seen, and one that has died', async t => {
  const { home, workspace, list } = await createHome(t)
  const child = fork(path.join(import.meta.dirname, '../../fixtures/idle-process.ts'))
  t.after(() => child.kill('SIGKILL'))
  const session: Session = await createTestSession(workspace, '2026-11-20-index-live', {
    minutesAgo: 1,
    events: [sealedEvent],
  })
  const runner = await identify(child.pid ?? 0)
  assert.ok(runner)
  await acquireLease(session.paths.runnerLease, runner)
  assert.equal(await list({ states: ['working'] }), 'live')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(await list({ states: ['working'] }), '')
  assert.equal(await list({ states: ['interrupted'] }), 'live')
  assert.ok(home)
})

test('an index that is damaged, of an older version or torn is made again', async t => {
  const { home, list } = await createHome(t)
  const file = path.join(home, 'index.db')
  const damages: [what: string, damage: () => unknown][] = [
    ['no database', () => fs.writeFileSync(file, 'this is no database, and long enough to be read as one'.repeat(99))],
    ['empty', () => fs.writeFileSync(file, '')],
    [
      'pages of nothing',
      () => fs.writeFileSync(file, Buffer.concat([fs.readFileSync(file).subarray(0, 4096), Buffer.alloc(30_000)])),
    ],
    ['cut', () => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))],
    ['an older version', async () => (await openIndex(home)).exec('PRAGMA user_version = 1')],
    ['other tables', async () => (await openIndex(home)).exec('DROP TABLE sessions; CREATE TABLE sessions (id)')],
    ['removed', () => fs.rmSync(file)],
  ]
  for (const [what, damage] of damages) {
    assert.equal(await list(), 'dddd cccc bbbb aaaa')
    for (const suffix of ['-wal', '-shm']) fs.rmSync(`${file}${suffix}`, { force: true })
    await damage()
    assert.equal(await list({ search: 'print' }), 'dddd cccc aaaa', what)
  }
})

test('without an index each session is read, and the reason is told', async t => {
  const { home, workspace } = await createHome(t)
  fs.mkdirSync(path.join(home, 'index.db'))
  const query = { states: ['FAIL'], search: 'hello', limit: 1 }
  const { views, problem } = await listSessionPage({ home, workspace }, query)
  assert.deepEqual(
    views.map(({ session }) => session.id.slice(-4)),
    ['dddd'],
  )
  assert.match(problem ?? '', /unable to open/)
  assert.equal((await listOpenSessions({ home, workspace })).length, 1)
})

test('a page reads an index that it cannot write, with sessions that are newer', async t => {
  const { home, workspace, create, list, find } = await createHome(t)
  const listNewest = async (limit: number) => {
    const page = await listNewestSessions({ home, workspace }, limit)
    return {
      ids: page.views.map(({ session }) => session.id.slice(-4)).join(' '),
      more: page.moreCount,
      problem: page.problem,
    }
  }
  assert.deepEqual(await listNewest(3), {
    ids: 'dddd cccc bbbb',
    more: 1,
    problem: 'there is no index of the sessions',
  })
  await list()
  await create('eeee', 1, 'Print it', [])
  append(find('bbbb'), closed)
  fs.rmSync(find('dddd'), { recursive: true })
  const before = fs.readFileSync(path.join(home, 'index.db'))
  assert.deepEqual(await listNewest(3), { ids: 'eeee cccc bbbb', more: 1, problem: undefined })
  const [, , view] = (await listNewestSessions({ home, workspace }, 3)).views
  assert.equal(view?.state, 'stopped')
  const longAgo = new Date(Date.now() - 60_000)
  fs.utimesSync(workspace, longAgo, longAgo)
  assert.equal((await listNewest(1)).ids, 'eeee')
  await create('ffff', 0, 'Print more', [])
  assert.deepEqual(await listNewest(1), { ids: 'ffff', more: 4, problem: undefined }, 'what it kept is not out of date')
  fs.rmSync(find('ffff'), { recursive: true })
  assert.deepEqual(fs.readFileSync(path.join(home, 'index.db')), before, 'the page wrote the index')
})

test('a session that is a pipe or a folder is told as damaged, and read by nothing', async t => {
  const { home, workspace, find, list } = await createHome(t)
  await list()
  fs.rmSync(path.join(find('bbbb'), 'events.jsonl'))
  assert.equal((await runProgram('mkfifo', [path.join(find('bbbb'), 'events.jsonl')])).exitCode, 0)
  fs.mkdirSync(path.join(workspace, '2026-11-20-index-ffff/session.json'), { recursive: true })
  const { views, damaged } = await listSessionPage({ home, workspace }, {})
  assert.equal(views.length, 3)
  assert.deepEqual(damaged.map(({ id, reason }) => `${id.slice(-4)} ${reason}`).sort(), [
    'bbbb events.jsonl is a pipe (FIFO)',
    'ffff session.json is a folder',
  ])
})

test('eight processes bring one index up to date at once', async t => {
  const { home, workspace, create, list } = await createHome(t)
  for (let index = 0; index < 150; index++) await create(`s${String(index).padStart(3, '0')}`, 5, 'Print', [closed])
  const program = `
    import { listSessionPage } from '#session/search-index'
    const page = await listSessionPage(JSON.parse(process.argv[1]), {})
    console.log(page.views.length, page.problem)`
  const args = ['--input-type=module', '--eval', program, JSON.stringify({ home, workspace })]
  const cwd = path.resolve(import.meta.dirname, '../../..')
  const ran = await Promise.all(Array.from({ length: 8 }, () => runProgram(process.execPath, args, { cwd })))
  for (const { stdout, stderr } of ran) assert.equal(stdout, '154 undefined\n', stderr)
  assert.equal((await list()).split(' ').length, 154)
})

test('a session whose work cannot be compared keeps no other from being listed', async t => {
  const { home, workspace, create, find } = await createHome(t)
  await create('eeee', 10, 'Print more', [sealedEvent, createVerdictEvent('PASS', 'all green')])
  fs.mkdirSync(path.join(find('eeee'), 'outputs'), { recursive: true })
  const searchPath = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = searchPath
  })
  const paths = resolveSessionPaths(find('eeee'))
  await prepareRepository(paths, 'dispatch/a', undefined)
  process.env['PATH'] = createScratchFolder(t)
  const page = await listSessionPage({ home, workspace }, { states: ['PASS', 'needs you'] })
  const open = await listOpenSessions({ home, workspace })
  process.env['PATH'] = searchPath
  const getLetters = ({ session }: SessionView) => session.id.slice(-4)
  assert.deepEqual(page.views.map(getLetters), ['bbbb'])
  assert.deepEqual(
    page.damaged.map(({ id }) => id.slice(-4)),
    ['eeee'],
  )
  assert.deepEqual(open.map(getLetters), ['eeee', 'bbbb'], 'no git runs for those that are open')
})
