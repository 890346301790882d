import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { backUp } from '#cli/backup/backup.ts'
import { findRecord } from '#cli/backup/records.ts'
import { restore } from '#cli/backup/restore.ts'
import { openTarget } from '#cli/backup/target.ts'
import { verifyBackup } from '#cli/backup/verify.ts'
import { type Config, readDefaultConfig } from '#host/config'
import { openQueue } from '#queue'
import { addEndedSession, createFilledHome } from '../../fixtures/backup-home.ts'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'
import { compileCacheFolder } from '../../fixtures/rig.ts'
import { createRandom, withoutRoot } from '../../fixtures/scratch.ts'

const options = { hasSecrets: false, keptCount: 7 }
const fresh = { mayMerge: false }

const openRestored = (around: string, name = 'restored') =>
  readDefaultConfig({ DISPATCH_HOME: path.join(around, name) })

function listFiles(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()
}

/** What the newest backup in a folder says of a file of the home. */
async function readEntry(folder: string, unit: string, name: string) {
  const paths = openTarget(folder)
  const checked = await verifyBackup(paths, findRecord(paths).record)
  return checked.units.find(each => each.name === unit)?.entries.find(entry => entry.path === name)
}

test('only a folder that is new, empty or its own is used, and none in the home or around it', async t => {
  const { config, around } = createFilledHome(t)
  for (const inside of ['backups', 'workspace', ''])
    await assert.rejects(backUp(config, path.join(config.home, inside), options), { exitCode: 2 }, inside)
  await assert.rejects(backUp(config, around, options), { exitCode: 2 })
  const link = path.join(around, 'link')
  fs.symlinkSync(config.home, link)
  await assert.rejects(backUp(config, path.join(link, 'new'), options), { exitCode: 2 })
  const full = path.join(around, 'full')
  fs.mkdirSync(full)
  fs.writeFileSync(path.join(full, 'thesis.txt'), '')
  await assert.rejects(backUp(config, full, options), { exitCode: 5 })
  assert.deepEqual(fs.readdirSync(full), ['thesis.txt'])
  const folder = path.join(around, 'a/b')
  await backUp(config, folder, options)
  const other = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'home-2') })
  fs.mkdirSync(other.home)
  await assert.rejects(backUp(other, folder, options), { exitCode: 5 })
  assert.throws(() => openTarget(full), { exitCode: 4 })
})

test('what has not changed is not read again, and what no backup needs is removed', async t => {
  const { config, around } = createFilledHome(t)
  const folder = path.join(around, 'backups')
  const big = path.join(config.home, 'projects/big')
  fs.writeFileSync(big, Buffer.alloc(6 << 20, 'x'))
  const first = await backUp(config, folder, options)
  assert.ok(first.writtenBytes > 6 << 20)
  assert.equal((await backUp(config, folder, options)).sessions, 3)
  fs.writeFileSync(big, 'small')
  const third = await backUp(config, folder, { ...options, keptCount: 2 })
  assert.ok(third.writtenBytes < 1 << 20, `${third.writtenBytes}`)
  assert.equal(fs.readdirSync(path.join(folder, 'backups')).length, 2)
  const measure = () =>
    listFiles(path.join(folder, 'objects')).reduce(
      (sum, name) => sum + fs.statSync(path.join(folder, 'objects', name)).size,
      0,
    )
  assert.ok(measure() > 6 << 20, 'the second one still needs it')
  await backUp(config, folder, { ...options, keptCount: 1 })
  assert.ok(measure() < 1 << 20)
  await restore(openRestored(around), folder, fresh)
  assert.equal(fs.readFileSync(path.join(around, 'restored/projects/big'), 'utf8'), 'small')
})

test('secrets are copied only on request, and then for the user only', async t => {
  const { config, around } = createFilledHome(t)
  for (const name of ['.env', 'claude-token'])
    fs.writeFileSync(path.join(config.home, name), 'ROUNDS=3', { mode: 0o600 })
  fs.writeFileSync(path.join(config.home, 'index.db'), 'made again')
  for (const hasSecrets of [false, true]) {
    const folder = path.join(around, `backups-${hasSecrets}`)
    await backUp(config, folder, { ...options, hasSecrets })
    assert.equal(fs.statSync(folder).mode & 0o77, 0)
    for (const name of listFiles(folder)) assert.equal(fs.statSync(path.join(folder, name)).mode & 0o77, 0, name)
    const restored = openRestored(around, `restored-${hasSecrets}`)
    await restore(restored, folder, fresh)
    assert.equal(fs.existsSync(path.join(restored.home, '.env')), hasSecrets)
    assert.equal(fs.existsSync(path.join(restored.home, 'claude-token')), hasSecrets)
    if (hasSecrets) assert.equal(fs.statSync(path.join(restored.home, '.env')).mode & 0o777, 0o600)
  }
})

test('leases, processes and half-written files stay behind, and temporary folders are empty', async t => {
  const { config, around } = createFilledHome(t, 1)
  const session = addEndedSession(config, 'busy')
  const put = (name: string, text = '') => {
    fs.mkdirSync(path.dirname(path.join(session.paths.folder, name)), { recursive: true })
    fs.writeFileSync(path.join(session.paths.folder, name), text)
  }
  for (const name of ['.runner-lease/000000000001', 'workers/w/process.json', 'tmp/x', 'workers/w/tmp/y']) put(name)
  for (const name of ['.tmp-0123456789abcdef', 'outputs/.git/index.lock', 'outputs/.tmp-0123456789abcdef']) put(name)
  put('workers/w/report.md', 'done')
  fs.appendFileSync(session.paths.events, '\n{"seq":3,"type":"half')
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const restored = openRestored(around)
  await restore(restored, folder, fresh)
  const names = listFiles(path.join(restored.workspace, session.id))
  assert.deepEqual(
    names.filter(name => name !== 'size.json'),
    ['events.jsonl', 'outputs/.tmp-0123456789abcdef', 'session.json', 'task.md', 'workers/w/report.md'],
    'an agent may call its own files as it likes',
  )
  assert.ok(fs.statSync(path.join(restored.workspace, session.id, 'workers/w/tmp')).isDirectory())
  const log = fs.readFileSync(path.join(restored.workspace, session.id, 'events.jsonl'), 'utf8')
  assert.ok(log.endsWith('\n') && !log.includes('half'), 'only whole lines')
})

test('a damaged or missing file names itself, nothing is restored then, and the next backup heals it', async t => {
  const { config, around } = createFilledHome(t)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const entry = await readEntry(folder, 'projects', 'one.json')
  assert.ok(entry?.kind === 'file')
  const object = path.join(folder, 'objects', entry.sha256.slice(0, 2), entry.sha256)
  for (const damage of ['{?', '', undefined]) {
    fs.rmSync(object)
    if (damage !== undefined) fs.writeFileSync(object, damage)
    const paths = openTarget(folder)
    const { damage: found } = await verifyBackup(paths, findRecord(paths).record)
    assert.deepEqual(
      found.map(each => [each.file, each.holds]),
      [[object, 'projects/one.json']],
    )
    await assert.rejects(restore(openRestored(around), folder, fresh), { exitCode: 13, message: /projects\/one\.json/ })
    assert.ok(!fs.existsSync(path.join(around, 'restored')))
  }
  await backUp(config, folder, options)
  await restore(openRestored(around), folder, fresh)
  const [newest = ''] = fs.readdirSync(path.join(folder, 'backups')).reverse()
  fs.appendFileSync(path.join(folder, 'backups', newest), ' ')
  const record = path.join(folder, 'backups', newest)
  fs.writeFileSync(record, fs.readFileSync(record, 'utf8').replace('"hasSecrets":false', '"hasSecrets":true '))
  assert.throws(() => findRecord(openTarget(folder)), { exitCode: 13 })
  assert.ok(findRecord(openTarget(folder), '000001'), 'the one before it is whole')
  await backUp(config, folder, options)
  assert.ok(findRecord(openTarget(folder)))
})

test('--merge adds what a home lacks, and overwrites nothing', async t => {
  const { config, around } = createFilledHome(t)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const [gone = '', changed = ''] = fs.readdirSync(config.workspace)
  fs.rmSync(path.join(config.workspace, gone), { recursive: true })
  fs.writeFileSync(path.join(config.workspace, changed, 'task.md.mine'), 'mine')
  fs.writeFileSync(path.join(config.home, 'projects/one.json'), 'mine')
  await assert.rejects(restore(config, folder, fresh), { exitCode: 5 })
  const report = await restore(config, folder, { mayMerge: true })
  assert.deepEqual([report.restored, report.kept.length], [[gone], 2])
  assert.deepEqual(report.keptFiles, ['projects/one.json'])
  assert.equal(fs.readFileSync(path.join(config.home, 'projects/one.json'), 'utf8'), 'mine')
  assert.ok(fs.existsSync(path.join(config.workspace, changed, 'task.md.mine')))
  assert.ok(!report.isPaused, 'every session has ended')
})

test('the queue comes back whole, with what was just being started, and the home is paused', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  const open = (home: string) => openQueue(home, { readSessionEnd: async () => 'pending' })
  const queue = await open(config.home)
  t.after(() => queue.close())
  await queue.enqueue([createItem({ title: 'one' }), createItem({ title: 'two' })])
  await queue.claim({
    process: await identifySelf(),
    ...{ capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 9 },
  })
  await backUp(config, folder, options)
  const restored = openRestored(around)
  assert.ok((await restore(restored, folder, fresh)).isPaused)
  const copy = await open(restored.home)
  t.after(() => copy.close())
  assert.deepEqual(
    (await copy.list()).map(({ title, state }) => [title, state]),
    [
      ['one', 'starting'],
      ['two', 'waiting'],
    ],
  )
  assert.equal((await copy.releaseAbandoned(() => undefined)).length, 1)
  const [next] = await copy.enqueue([createItem({ title: 'three' })])
  assert.equal(next, 'q-3')
})

test('a file that cannot be read is told, and the rest is copied', async t => {
  const { config, around } = createFilledHome(t, 1)
  const secret = path.join(config.home, 'projects/closed')
  fs.writeFileSync(secret, 'x', { mode: 0o000 })
  fs.chownSync(around, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
  const all = [around, ...fs.readdirSync(around, { recursive: true }).map(name => path.join(around, `${name}`))]
  for (const file of all) if (process.getuid?.() === 0) fs.lchownSync(file, 65_534, 65_534)
  const report = await withoutRoot(around, () => backUp(config, path.join(around, 'backups'), options))
  assert.deepEqual(
    report.skipped.map(({ path: name, isLost }) => [name, isLost]),
    [['projects/closed', true]],
  )
  assert.equal(report.sessions, 1)
})

/** Killed at random moments. BACKUP_KILLS says how often, SEED seeds the moments. */
const KILLS = Number(process.env['BACKUP_KILLS'] ?? 4)

test('however a backup is killed, the newest complete one restores as it was', async t => {
  const { config, around } = createFilledHome(t, 5)
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const random = createRandom(Number(process.env['SEED'] ?? 1))
  let completed = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    completed += await killWithin(config, folder, random() * 250)
    const paths = openTarget(folder)
    const { record } = findRecord(paths)
    assert.deepEqual((await verifyBackup(paths, record)).damage, [])
    const restored = openRestored(around)
    await restore(restored, folder, fresh)
    for (const name of listFiles(path.join(config.home, 'workspace')))
      assert.deepEqual(
        fs.readFileSync(path.join(restored.workspace, name)),
        fs.readFileSync(path.join(config.workspace, name)),
      )
    fs.rmSync(restored.home, { recursive: true })
  }
  t.diagnostic(`${KILLS} kills, ${completed} backups were complete before one`)
  await backUp(config, folder, options)
  assert.deepEqual(
    listFiles(path.join(folder, 'objects')).filter(name => name.includes('.tmp-')),
    [],
  )
})

/** Start backups in another process, and kill it so long after the first began. Returns how many were complete. */
async function killWithin(config: Config, folder: string, delayMs: number): Promise<number> {
  const file = path.join(import.meta.dirname, '../../fixtures/backup-loop.ts')
  const child = fork(file, ['backup', config.home, folder], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCacheFolder },
  })
  let begun = 0
  child.on('message', () => begun++)
  const exit = once(child, 'exit')
  await once(child, 'message')
  await sleep(delayMs)
  child.kill('SIGKILL')
  await exit
  return begun - 1
}
