import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '#host/sqlite.ts'
import { openQueue } from '#queue'
import { createItem, testQueue } from '../fixtures/queue-contract.ts'
import { createRandom, createScratchFolder } from '../fixtures/scratch.ts'

testQueue('sqlite', async (t, { clock, readSessionEnd }) => {
  const queue = await openQueue(createScratchFolder(t), { readSessionEnd, now: () => clock.now })
  t.after(() => queue.close())
  return queue
})

test('a queue that a newer dispatch wrote is exit 6, and is not touched', async t => {
  const home = createScratchFolder(t)
  const options = { readSessionEnd: async () => 'pending' as const }
  ;(await openQueue(home, options)).close()
  const database = await openDatabase(path.join(home, 'queue.db'), home)
  database.exec('PRAGMA user_version = 99')
  database.close()
  await assert.rejects(openQueue(home, options), { exitCode: 6 })
})

test('a queue is opened and read while another process writes', async t => {
  const home = createScratchFolder(t)
  const options = { readSessionEnd: async () => 'pending' as const }
  ;(await openQueue(home, options)).close()
  const writer = await openDatabase(path.join(home, 'queue.db'), home)
  t.after(() => writer.close())
  writer.exec('BEGIN IMMEDIATE')
  const reader = await openQueue(home, options)
  t.after(() => reader.close())
  assert.deepEqual(await reader.list(['waiting']), [])
})

const ITEMS = Number(process.env['QUEUE_ITEMS'] ?? 200)
const KILLS = Number(process.env['QUEUE_KILLS'] ?? 3)
const CLAIMERS = 8

test('eight claimers, some of them killed: each item is done, and no attempt was held twice', async t => {
  const home = createScratchFolder(t)
  const log = path.join(home, 'log')
  fs.writeFileSync(log, '')
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
  t.after(() => queue.close())
  await queue.enqueue(Array.from({ length: ITEMS }, (_, at) => createItem({ title: `${at}` })))
  const random = createRandom(Number(process.env['SEED'] ?? 1))
  const children = new Set<ReturnType<typeof fork>>()
  t.after(() => children.forEach(child => void child.kill('SIGKILL')))
  const start = () => {
    const child = fork(path.join(import.meta.dirname, '../fixtures/queue-claimer.ts'), [home, log])
    children.add(child)
    return once(child, 'exit').then(([code, signal]) => {
      children.delete(child)
      assert.ok(code === 0 || signal === 'SIGKILL', `a claimer ended with ${code}`)
    })
  }
  const running = Array.from({ length: CLAIMERS }, start)
  const countDone = async () => (await queue.list(['done'])).length
  for (let kill = 1; kill <= KILLS; kill++) {
    while ((await countDone()) < (ITEMS * kill) / (KILLS + 2)) await new Promise(resolve => setTimeout(resolve, 5))
    const victims = [...children]
    victims[Math.floor(random() * victims.length)]?.kill('SIGKILL')
    running.push(start())
  }
  await Promise.all(running)
  assert.equal(await countDone(), ITEMS)
  const lines = fs.readFileSync(log, 'utf8').trim().split('\n')
  const claims = lines.filter(line => line.startsWith('claimed '))
  assert.equal(new Set(claims).size, claims.length, 'two processes held one attempt')
  const settled = lines.filter(line => line.startsWith('settled ')).map(line => line.split(' ')[1])
  assert.equal(new Set(settled).size, settled.length, 'an item was settled twice')
  assert.ok(settled.length >= ITEMS - KILLS && settled.length <= ITEMS, `${settled.length} were settled`)
  assert.ok(claims.length <= ITEMS + KILLS, 'an item was given back that was not abandoned')
  t.diagnostic(`${ITEMS} items, ${KILLS} kills, ${claims.length} attempts`)
})
