/** After a rollback: this dispatch goes on with a home in which a newer one has added fields, events, columns and tables. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { sha256 } from '#host/hash.ts'
import { identify } from '#host/process'
import { openDatabase, readSchemaVersion } from '#host/sqlite.ts'
import { listProjects } from '#projects'
import { openQueue } from '#queue'
import { findSession } from '#session'
import { LogWriter, readLog } from '#session/log'
import { listOpenSessions, listSessionPage } from '#session/search-index'
import { createFilledHome } from '../fixtures/backup-home.ts'
import { createItem } from '../fixtures/queue-contract.ts'
import { entryPoint } from '../fixtures/rig.ts'

const options = { readSessionEnd: async () => 'pending' as const }

test('what a newer dispatch has added is left out, and the rest goes on', async t => {
  const { config } = createFilledHome(t)
  const { home, workspace } = config
  const [id = ''] = fs.readdirSync(workspace)
  const { paths } = findSession(workspace, id)
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    DISPATCH_HOME: home,
    DISPATCH_DEV: process.env['DISPATCH_DEV'] ?? '',
  }
  const dispatch = async (...args: string[]) => {
    const ran = await runProgram('/bin/sh', [entryPoint, ...args], { env: environment })
    assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout
  }
  fs.rmSync(path.join(home, 'projects/one.json'))
  const queue = await openQueue(home, options)
  const [first] = await queue.enqueue([createItem({ title: 'before' })])
  queue.close()

  await t.test('the newer dispatch writes', async () => {
    const project = { setup: ['true'], newKey: 1, services: [{ name: 'db', command: 'a', ready: 'b', newKey: 2 }] }
    const manifest = { ...JSON.parse(fs.readFileSync(paths.manifest, 'utf8')), project, newKey: { deep: [3] } }
    fs.writeFileSync(paths.manifest, JSON.stringify(manifest))
    const { head, lastSeq } = readLog(paths.events)
    const unknown = {
      seq: lastSeq + 1,
      time: new Date().toISOString(),
      prev: head,
      type: 'worker.teleported',
      where: 'Mars',
    }
    const line = JSON.stringify(unknown)
    const known = {
      seq: lastSeq + 2,
      time: unknown.time,
      prev: sha256(line),
      type: 'session.reopened',
      actor: 'you',
      newKey: 4,
    }
    fs.appendFileSync(paths.events, `\n${line}\n\n${JSON.stringify(known)}\n`)
    const registered = {
      name: 'web',
      prefix: 'web',
      path: '/nowhere/web',
      remote: null,
      targetBranch: null,
      maxSessions: null,
    }
    const file = { ...registered, addedAt: unknown.time, newKey: 5 }
    fs.writeFileSync(path.join(home, 'projects/web.json'), JSON.stringify(file))
    const database = await openDatabase(path.join(home, 'queue.db'), home)
    database.exec(`
      ALTER TABLE items ADD COLUMN new_column TEXT;
      ALTER TABLE starts ADD COLUMN new_column TEXT NOT NULL DEFAULT 'x';
      CREATE TABLE new_table (a TEXT) STRICT;
      UPDATE items SET new_column = 'x', work = json_set(work, '$.newKey', 6)`)
    database.close()
    const index = await openDatabase(path.join(home, 'index.db'), home)
    index.exec('CREATE TABLE sessions (something_else TEXT) STRICT; PRAGMA user_version = 99')
    index.close()
  })

  await t.test('it says that it can read all of it', async () => {
    const reading = JSON.parse(await dispatch('update', '--read-home'))
    assert.deepEqual([...reading.sessions].sort(), fs.readdirSync(workspace).sort())
    assert.deepEqual([reading.readOnly, reading.unreadable, reading.problems], [[], [], []])
  })

  await t.test('sessions are listed, and their log goes on after an unknown event', async () => {
    const { views, problem } = await listSessionPage(config, {})
    assert.deepEqual([views.length, problem], [3, undefined])
    const [view, ...others] = await listOpenSessions(config)
    assert.deepEqual([view?.session.id, view?.unreadableLines, others], [id, 1, []])
    assert.equal(view?.session.manifest.project?.services[0]?.name, 'db')
    const writer = new LogWriter(paths.events, id)
    writer.append({ type: 'session.closed', actor: 'you', reason: 'after the rollback' }, new Date())
    writer.requireIntact()
    assert.deepEqual(readLog(paths.events, id).chainBreaks, [])
    assert.match(await dispatch('show', id), /stopped/)
    await dispatch('audit', id)
    const index = await openDatabase(path.join(home, 'index.db'), home)
    assert.equal(readSchemaVersion(index), 99, 'the index of the newer dispatch stays')
    index.close()
  })

  await t.test('the queue takes, gives out and settles items', async () => {
    const queue = await openQueue(home, options)
    const [second] = await queue.enqueue([createItem({ title: 'after' })])
    const self = (await identify(process.pid)) ?? assert.fail()
    const claims = await queue.claim({
      process: self,
      capabilities: [],
      slots: 2,
      roomByRepository: {},
      defaultRoom: 9,
    })
    assert.deepEqual(
      claims.map(({ item }) => item),
      [first, second],
    )
    for (const claim of claims) assert.equal(await queue.settle(claim, { kind: 'done', reason: 'PASS' }), 'settled')
    assert.deepEqual(
      (await queue.list()).map(({ state }) => state),
      ['done', 'done'],
    )
    queue.close()
    assert.deepEqual(
      listProjects(home).map(({ name }) => name),
      ['web'],
    )
  })
})

test('a session of a newer format, and a queue with other tables, are named', async t => {
  const { config } = createFilledHome(t)
  const { home, workspace } = config
  const [id = ''] = fs.readdirSync(workspace)
  const { paths } = findSession(workspace, id)
  fs.writeFileSync(
    paths.manifest,
    JSON.stringify({ ...JSON.parse(fs.readFileSync(paths.manifest, 'utf8')), format: 2 }),
  )
  ;(await openQueue(home, options)).close()
  const database = await openDatabase(path.join(home, 'queue.db'), home)
  database.exec('PRAGMA user_version = 99')
  database.close()
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    DISPATCH_HOME: home,
    DISPATCH_DEV: process.env['DISPATCH_DEV'] ?? '',
  }
  const ran = await runProgram('/bin/sh', [entryPoint, 'update', '--read-home'], { env: environment })
  const reading = JSON.parse(ran.stdout)
  assert.deepEqual([reading.readOnly, reading.sessions.length], [[id], 3])
  assert.match(reading.problems.join(), /queue\.db was written by a newer dispatch.*one\.json is damaged/)
})
