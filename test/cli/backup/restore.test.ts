import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { backUp } from '#cli/backup/backup.ts'
import { restore } from '#cli/backup/restore.ts'
import { getPastFile } from '#cli/forge-record.ts'
import { type Config, readDefaultConfig } from '#host/config'
import { LandingQueue } from '#landing'
import { getOutboxFolders } from '#notify'
import { openQueue, type Queue, readPause, writePause } from '#queue'
import { createFilledHome } from '../../fixtures/backup-home.ts'
import { createEntry } from '../../fixtures/landing-entry.ts'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'

const options = { hasSecrets: false, keptCount: 7 }
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

async function enqueue({ home }: Config): Promise<void> {
  await useQueue(home, queue => queue.enqueue([createItem({ title: 'one' })]))
}

async function useQueue<Result>(home: string, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
  try {
    return await work(queue)
  } finally {
    queue.close()
  }
}

/** Items of a home in every state: q-1 runs, q-2 is starting, and each of the others comes after something. */
async function fillQueue(home: string): Promise<void> {
  await useQueue(home, async queue => {
    await queue.enqueue([
      ...[createItem({ title: 'runs' }), createItem({ title: 'starts' }), createItem({ title: 'is done' })],
      ...[createItem({ title: 'is cancelled' }), createItem({ title: 'after one', after: ['q-1', 'q-3', 's-9'] })],
      createItem({ title: 'after a cancelled one', after: ['q-4'], key: 'k' }),
    ])
    const [first, second, third] = await queue.claim({
      ...{ process: await identifySelf(), capabilities: [], slots: 3, roomByRepository: {}, defaultRoom: 3 },
    })
    assert.ok(first && second && third)
    await queue.start(first, 's-1')
    await queue.start(third, 's-3')
    await queue.settle(third, { kind: 'done', reason: 'PASS' })
    await queue.cancel('q-4', 'you')
  })
}

const listItems = (home: string) =>
  useQueue(home, async queue =>
    (await queue.list()).map(({ id, title, state, after, sessionId }) => ({ id, title, state, after, sessionId })),
  )

test('a pause that would end by itself does not, once a queue is restored, and keeps its reason', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await enqueue(config)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  writePause(restored.home, { since: new Date().toISOString(), until: inAnHour(), reason: 'lunch' })
  assert.ok((await restore(restored, folder, { mayMerge: false })).isPaused)
  const pause = readPause(restored.home, new Date())
  assert.equal(pause?.until, null)
  assert.match(pause?.reason ?? '', /lunch/)
})

test('where nothing would start, the pause of the home or of the backup stays as it was', async t => {
  const { config, around } = createFilledHome(t, 1)
  const until = inAnHour()
  writePause(config.home, { since: new Date().toISOString(), until, reason: 'holiday' })
  const folder = path.join(around, 'backups')
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await restore(restored, folder, { mayMerge: false })
  assert.deepEqual(
    [readPause(restored.home, new Date())?.until, readPause(restored.home, new Date())?.reason],
    [until, 'holiday'],
  )
  writePause(restored.home, { since: new Date().toISOString(), until: null, reason: 'my own' })
  const report = await restore(restored, folder, { mayMerge: true })
  assert.deepEqual([readPause(restored.home, new Date())?.reason, report.keptFiles], ['my own', ['projects/one.json']])
})

test('what a lost queue has left is not taken for changes of the restored one', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await enqueue(config)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  fs.mkdirSync(restored.home)
  fs.writeFileSync(path.join(restored.home, 'queue.db-wal'), 'of another queue')
  await restore(restored, folder, { mayMerge: false })
  assert.equal(fs.readFileSync(path.join(restored.home, 'queue.db-wal.damaged'), 'utf8'), 'of another queue')
})

test('a queue without items, as a daemon makes it, becomes that of the backup', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await fillQueue(config.home)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await useQueue(restored.home, queue => queue.list())
  const { isPaused, keptFiles, addedItems } = await restore(restored, folder, { mayMerge: false })
  assert.deepEqual([isPaused, keptFiles, addedItems], [true, [], []])
  assert.deepEqual(await listItems(restored.home), await listItems(config.home))
  await useQueue(restored.home, async queue => {
    assert.deepEqual(await queue.releaseAbandoned(() => undefined), [{ item: 'q-2', attempt: 1 }], 'nothing holds it')
    assert.deepEqual(await queue.enqueue([createItem()]), ['q-7'])
  })
  await assert.rejects(restore(restored, folder, { mayMerge: false }), { exitCode: 5 })
  const again = await restore(restored, folder, { mayMerge: true })
  assert.deepEqual([again.addedItems, again.keptFiles], [[], ['projects/one.json', 'queue.db']])
})

test('to a queue with items, what has not ended is added once, with ids that no restored session names', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await fillQueue(config.home)
  await backUp(config, folder, options)
  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  await enqueue(restored)
  const report = await restore(restored, folder, { mayMerge: true })
  assert.deepEqual([report.addedItems, report.keptFiles], [['q-7', 'q-8', 'q-9', 'q-10'], []])
  const [own, ...added] = await listItems(restored.home)
  assert.partialDeepStrictEqual(own, { id: 'q-1', title: 'one', state: 'waiting' })
  assert.deepEqual(added, [
    { id: 'q-7', title: 'runs', state: 'running', after: [], sessionId: 's-1' },
    { id: 'q-8', title: 'starts', state: 'waiting', after: [], sessionId: null },
    { id: 'q-9', title: 'after one', state: 'waiting', after: ['q-7', 's-9'], sessionId: null },
    { id: 'q-10', title: 'after a cancelled one', state: 'needs you', after: [], sessionId: null },
  ])
  const again = await restore(restored, folder, { mayMerge: true })
  assert.deepEqual([again.addedItems, again.keptFiles], [[], ['projects/one.json', 'queue.db']])
  assert.equal((await listItems(restored.home)).length, 5)
})

test('what has ended since in the same home does not come back from its backup', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  await enqueue(config)
  await backUp(config, folder, options)
  await useQueue(config.home, async queue => {
    await queue.cancel('q-1', 'you')
    await queue.forget(['q-1'], '2036-01-01T00:00:00.000Z')
    await queue.enqueue([createItem()])
  })
  const report = await restore(config, folder, { mayMerge: true })
  assert.deepEqual([report.addedItems, (await listItems(config.home)).map(({ id }) => id)], [[], ['q-2']])
})

test('a landing that waits pauses the home, and a merge brings back nothing that has ended or was sent since', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  const getQueue = (home: string) => new LandingQueue(path.join(home, 'landing', 'a'.repeat(32)))
  getQueue(config.home).add(createEntry())
  const { waiting, sent } = getOutboxFolders(config.home, 'phone')
  for (const each of [waiting, sent]) fs.mkdirSync(each, { recursive: true })
  const name = '000000000000001-a-1.json'
  fs.writeFileSync(path.join(waiting, name), '{}')
  await backUp(config, folder, options)
  getQueue(config.home).drop(createEntry().session, 'a person took it out')
  fs.renameSync(path.join(waiting, name), path.join(sent, name))
  await restore(config, folder, { mayMerge: true })
  assert.deepEqual(getQueue(config.home).listOpen(), [])
  assert.deepEqual(fs.readdirSync(waiting), [])
  assert.equal(readPause(config.home, new Date()), undefined, 'nothing goes on')

  const restored = readDefaultConfig({ DISPATCH_HOME: path.join(around, 'restored') })
  assert.ok((await restore(restored, folder, { mayMerge: false })).isPaused)
  assert.equal(getQueue(restored.home).listOpen().length, 1)
})

test('a record that was put aside since does not come back as it was', async t => {
  const { config, around } = createFilledHome(t, 0)
  const folder = path.join(around, 'backups')
  const file = path.join(config.home, 'issues/github.com+ada+notes+7.json')
  fs.mkdirSync(path.dirname(getPastFile(file)), { recursive: true })
  fs.writeFileSync(file, '{}')
  await backUp(config, folder, options)
  fs.renameSync(file, getPastFile(file))
  await restore(config, folder, { mayMerge: true })
  assert.ok(!fs.existsSync(file))
})
