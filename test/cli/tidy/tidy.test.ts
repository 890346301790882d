import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRecordFile } from '#cli/forge-record.ts'
import { listRecords, readRecord, readRecords, writeRecord } from '#cli/issues/record.ts'
import { findRecordOf, rememberPullRequest, writePullRequestRecord } from '#cli/pull-request/record.ts'
import { startTidyOnceADay, tidyInBackground } from '#cli/tidy/schedule.ts'
import { getScheduledRule, listRemovable, removeAll, requireRemoved } from '#cli/tidy/tidy.ts'
import type { Config } from '#host/config'
import { DAY_MS } from '#host/time.ts'
import { openTmux } from '#host/tmux'
import { openQueue, writePause } from '#queue'
import { readSession } from '#session/store.ts'
import { addEndedSession, createFilledHome } from '../../fixtures/backup-home.ts'
import { openForge } from '../../fixtures/forge.ts'
import { createIssueMachine, openIssue } from '../../fixtures/issue-machine.ts'
import { createItem } from '../../fixtures/queue-contract.ts'
import { compileCacheFolder } from '../../fixtures/rig.ts'
import { createRandom, waitUntil } from '../../fixtures/scratch.ts'

const everything = { sessionAgeMs: 0, dependencyAgeMs: 0 }

const age = (file: string, days: number) => fs.utimesSync(file, daysAgo(days), daysAgo(days))
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)
const listKinds = async (config: Config, rule = everything) =>
  (await listRemovable(config, rule)).removable.map(({ kind }) => kind)

test('a damaged queue is told, and the rest is listed', async t => {
  const { config } = createFilledHome(t, 1)
  fs.writeFileSync(path.join(config.home, 'queue.db'), 'no database, and longer than its head')
  const { removable, problems } = await listRemovable(config, everything)
  assert.deepEqual(
    removable.map(({ kind }) => kind),
    ['session'],
  )
  assert.match(problems.join('\n'), /queue\.db/)
  assert.throws(() => requireRemoved([], problems), { exitCode: 10 })
})

test('only what is old and ended goes, and what is young, open or of an agent stays', async t => {
  const { config } = createFilledHome(t, 0)
  assert.deepEqual(await listKinds(config), [])
  const put = (name: string, days: number, text = 'x') => {
    const file = path.join(config.home, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
    age(file, days)
    return file
  }
  const session = addEndedSession(config, 'kept')
  const draft = '.tmp-0123456789abcdef'
  const name = (days: number) => `${String(daysAgo(days).getTime()).padStart(15, '0')}-x-000001.json`
  const gone = [
    put(draft, 2),
    put(`workspace/${session.id}/evidence/${draft}`, 2),
    ...['issues', 'issues/a+1.lease', 'pull-requests', 'landing/x/lander', 'outbox/phone', 'prepared/y/claim'].map(
      folder => put(`${folder}/${draft}`, 2),
    ),
    put('logs/daemon.log.1', 40),
    put(`outbox/phone/sent/${name(8)}`, 0),
    put('workspace/.removed-2026-11-21-say-half/evidence/x', 0),
  ]
  const kept = [
    put('.tmp-0123456789abcde0', 0),
    put(`workspace/${session.id}/orchestrator/${draft}`, 2),
    put(`workspace/${session.id}/outputs/${draft}`, 2),
    put('logs/daemon.log', 40),
    put('logs/web.log.1', 10),
    put(`outbox/phone/sent/${name(6)}`, 0),
    put(`outbox/phone/waiting/${name(60)}`, 0),
    put('workspace/.restoring-2026-11-21-say-now/x', 0),
    put('workspace/2026-11-21-starts-now-a3f9/task.md', 2),
  ]
  const results = await removeAll((await listRemovable(config, { sessionAgeMs: DAY_MS, dependencyAgeMs: 0 })).removable)
  assert.deepEqual(results.map(({ kind, action }) => `${action} ${kind}`).sort(), [
    'removed leftovers',
    'removed leftovers',
    'removed log',
    'removed notifications',
  ])
  for (const file of gone) assert.ok(!fs.existsSync(file), file)
  for (const file of kept) assert.ok(fs.existsSync(file), file)
  assert.ok(readSession(config.workspace, session.id), 'it is an hour old')
})

test('a session is decided again just before it is removed', async t => {
  const { config } = createFilledHome(t, 2)
  const { removable } = await listRemovable(config, everything)
  assert.deepEqual(
    removable.map(({ kind, reason }) => [kind, reason]),
    Array.from({ length: 2 }, () => ['session', 'it made no work']),
  )
  const [first = ''] = fs.readdirSync(config.workspace)
  const events = path.join(config.workspace, first, 'events.jsonl')
  fs.appendFileSync(
    events,
    `\n${JSON.stringify({ seq: 3, time: new Date().toISOString(), type: 'session.reopened', actor: 'you' })}\n`,
  )
  const results = await removeAll(removable)
  assert.deepEqual(results.map(({ action }) => action).sort(), ['kept', 'removed'])
  assert.deepEqual(fs.readdirSync(config.workspace), [first])
})

test('items of the queue go after 90 days', async t => {
  const { config } = createFilledHome(t, 0)
  const clock = { now: Date.now() - 100 * DAY_MS }
  const queue = await openQueue(config.home, { readSessionEnd: async () => 'pending', now: () => clock.now })
  t.after(() => queue.close())
  const [old = '', open = ''] = await queue.enqueue([createItem({ title: 'old' }), createItem({ title: 'open' })])
  await queue.cancel(old, 'not wanted')
  const [{ kind, name } = { kind: '', name: '' }, ...others] = (await listRemovable(config, everything)).removable
  assert.deepEqual([kind, name, others.length], ['queue', '1 item of the queue', 0])
  await removeAll((await listRemovable(config, everything)).removable)
  assert.deepEqual(
    (await queue.list()).map(({ id }) => id),
    [open],
  )
})

test('records of what is over are put aside after 90 days, and found as before', async t => {
  const github = await openForge(t)
  const { config, take } = createIssueMachine(t, await github.connect('ada'))
  const { home } = config
  const [held, over, young] = [openIssue(github), openIssue(github), openIssue(github)]
  for (const { number } of [held, over, young]) await take(number)
  const [first, second, third] = listRecords(home)
  assert.ok(first && second && third)
  for (const record of [second, third]) writeRecord(home, record, { state: 'given back', reason: 'you gave it back' })
  for (const record of [first, second]) age(getRecordFile(home, 'issues', record), 100)
  const facts = { checkout: '/notes', base: 'main', branch: 'b', author: 'me' as const, isDraft: false }
  const place = { ...second, session: 'one', commits: ['a'] }
  const pull = rememberPullRequest(home, { ...place, ...facts })
  writePullRequestRecord(home, pull, { state: 'ended', reason: 'merged' })
  age(getRecordFile(home, 'pull-requests', pull), 100)

  const { removable } = await listRemovable(config, everything)
  assert.deepEqual(
    removable.map(({ kind, name }) => [kind, name]),
    [['records', '2 records of issues and pull requests']],
  )
  await removeAll(removable)
  assert.deepEqual(readRecords(home).records, [first, readRecord(home, third)])
  assert.deepEqual(listRecords(home).length, 3)
  assert.equal(readRecord(home, second)?.trigger.at, second.trigger.at)
  assert.equal(findRecordOf(home, 'one')?.reason, 'merged')
  assert.deepEqual(await listKinds(config), [])
  writeRecord(home, second)
  assert.equal(readRecord(home, second)?.state, 'claimed', 'it was taken again')
  assert.equal(listRecords(home).length, 3)
})

test('a socket goes if no tmux server listens there', async t => {
  const { config } = createFilledHome(t, 0)
  const { socket } = openTmux(config.home)
  if (path.dirname(socket) !== config.home) return t.skip('the folder for temporary files has a long path')
  const server = net.createServer().listen(socket)
  await once(server, 'listening')
  assert.deepEqual(await listKinds(config), [], 'a server listens')
  // A process that is killed leaves its socket; closing a server would remove it.
  const copy = `${socket}-left`
  fs.linkSync(socket, copy)
  await new Promise(resolve => server.close(resolve))
  fs.renameSync(copy, socket)
  assert.deepEqual(await listKinds(config), ['socket'])
  assert.deepEqual(
    (await removeAll((await listRemovable(config, everything)).removable)).map(({ action }) => action),
    ['removed'],
  )
})

test('once a day, as the settings say, and not while dispatch is paused', async t => {
  const { config } = createFilledHome(t, 1)
  const said: string[] = []
  const start = (changes: Partial<Config> = {}) => startTidyOnceADay({ ...config, ...changes }, text => said.push(text))
  const record = path.join(config.home, 'tidied.json')
  await start({ TIDY: 'off' })
  assert.ok(!fs.existsSync(record))
  await start()
  assert.ok(fs.existsSync(record), 'the first day begins')
  const log = path.join(config.logsFolder, 'daemon.log')
  const half = path.join(config.workspace, '.removed-2026-11-21-say-half')
  fs.mkdirSync(half)
  age(record, 2)
  writePause(config.home, { since: new Date().toISOString(), until: null, reason: '' })
  await start()
  assert.ok(Date.now() - fs.statSync(record).mtimeMs > DAY_MS)
  fs.rmSync(path.join(config.home, 'paused.json'))
  await start()
  await waitUntil(
    () => fs.existsSync(log) && /tidy: removed leftovers/.test(fs.readFileSync(log, 'utf8')),
    'it has tidied',
  )
  assert.ok(!fs.existsSync(half))
  assert.equal(fs.readdirSync(config.workspace).length, 1, 'TIDY=caches removes no session')

  assert.equal(getScheduledRule({ ...config, TIDY: 'sessions', KEEP_SESSIONS_DAYS: 2 }).sessionAgeMs, 2 * DAY_MS)
  const [id = ''] = fs.readdirSync(config.workspace)
  await tidyInBackground({ ...config, TIDY: 'sessions', KEEP_SESSIONS_DAYS: 1 })
  assert.ok(readSession(config.workspace, id))
  age(path.join(config.workspace, id, 'events.jsonl'), 3)
  await tidyInBackground({ ...config, TIDY: 'sessions', KEEP_SESSIONS_DAYS: 1 })
  assert.deepEqual(fs.readdirSync(config.workspace), [])
  assert.match(fs.readFileSync(log, 'utf8'), /tidy: removed session .*: it made no work/)
  assert.deepEqual(said, [])
})

/** Killed at random moments. TIDY_KILLS says how often, SEED seeds the moments. */
const KILLS = Number(process.env['TIDY_KILLS'] ?? 2)
const SESSIONS = process.env['TIDY_KILLS'] ? 8 : 4
/** Removing takes a while, so that it can be killed in the middle of it. */
const FILES = process.env['TIDY_KILLS'] ? 600 : 200

test('however tidying is killed, each session is whole or gone, and the next time finishes it', async t => {
  const { config } = createFilledHome(t, 0)
  const random = createRandom(Number(process.env['SEED'] ?? 1))
  let halfRemoved = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    for (let at = 0; at < SESSIONS; at++) {
      const { paths } = addEndedSession(config, String(at).padStart(4, 'b'))
      for (let file = 0; file < FILES; file++) fs.writeFileSync(path.join(paths.evidence, `file-${file}`), 'x')
    }
    await killWithin(config, random() * 400)
    const names = fs.readdirSync(config.workspace)
    halfRemoved += names.filter(name => name.startsWith('.removed-')).length
    for (const id of names.filter(name => !name.startsWith('.'))) {
      assert.ok(readSession(config.workspace, id), id)
      assert.equal(fs.readdirSync(path.join(config.workspace, id, 'evidence')).length, FILES)
    }
    const results = await removeAll((await listRemovable(config, everything)).removable)
    assert.deepEqual(
      results.filter(({ action }) => action !== 'removed'),
      [],
    )
    assert.deepEqual(fs.readdirSync(config.workspace), [])
  }
  t.diagnostic(`${KILLS} kills, ${halfRemoved} sessions were half removed`)
})

async function killWithin(config: Config, delayMs: number): Promise<void> {
  const file = path.join(import.meta.dirname, '../../fixtures/backup-loop.ts')
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCacheFolder }
  const child = fork(file, ['tidy', config.home], { env })
  const exit = once(child, 'exit')
  await once(child, 'message')
  await sleep(delayMs)
  child.kill('SIGKILL')
  await exit
}
