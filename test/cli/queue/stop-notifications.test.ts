import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { notifyStops } from '#cli/queue/stop-notifications.ts'
import { readDefaultConfig } from '#host/config'
import { listNames } from '#host/fs'
import { getOutboxFolders } from '#notify'
import { type Item, openQueue } from '#queue'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const startMs = Date.parse('2026-11-30T00:00:00Z')

async function openTest(t: TestContext) {
  const home = createScratchFolder(t)
  const config = { ...readDefaultConfig({ DISPATCH_HOME: home }), NTFY_TOPIC: 'a-topic-that-is-long-enough' }
  const clock = { now: startMs }
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending', now: () => clock.now })
  t.after(() => queue.close())
  const { waiting } = getOutboxFolders(home, 'phone')
  const look = async (reason: string | undefined) => {
    const items: Item[] = await queue.list(['waiting'])
    const room = reason === undefined ? undefined : { reason }
    await notifyStops(config, queue, { waiting: items, room, now: new Date(clock.now) })
    const read = (name: string) => fs.readFileSync(path.join(waiting, name), 'utf8')
    return listNames(waiting).map(name => String(JSON.parse(read(name)).notification.body))
  }
  return { queue, clock, look }
}

test('a cap for a day and a mistake in .env are told once, and only where something waits', async t => {
  const { queue, clock, look } = await openTest(t)
  assert.deepEqual(await look(undefined), [])
  await queue.enqueue([createItem()])
  assert.deepEqual(await look('1 session runs; MAX_SESSIONS=1 allows no more'), [])
  const cap = (usd: number) => `$${usd} spent in 24 hours; MAX_USD_DAY=5 allows no more`
  assert.match((await look(cap(5))).join(), /MAX_USD_DAY allows no more/)
  await look('')
  clock.now += 60_000
  assert.equal((await look(cap(6))).length, 1, 'once a day')
  assert.equal((await look(undefined)).length, 2)
  assert.equal((await look(undefined)).length, 2)
  await look('')
  clock.now += 1000
  assert.equal((await look(cap(6))).length, 2)
})

test('starts that fail three times in a row are told once, and so is a deadline that has passed', async t => {
  const { queue, clock, look } = await openTest(t)
  await queue.enqueue([createItem({ options: ['--deadline', '2026-11-30T06:30:00.000Z'] })])
  const self = await identifySelf()
  const claim = async () => {
    clock.now += 60_000
    const room = { capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 1 }
    const [claimed] = await queue.claim({ process: self, ...room })
    return claimed ?? assert.fail('nothing waits')
  }
  const fail = async () => queue.settle(await claim(), { kind: 'again', reason: 'no login' })
  await fail()
  await fail()
  assert.deepEqual(await look(''), [])
  await fail()
  assert.match((await look('')).join(), /starts of the queue or more have failed/)
  const tried = await claim()
  await look('')
  await queue.settle(tried, { kind: 'again', reason: 'no login' })
  assert.equal((await look('')).length, 1, 'it is still the same')
  clock.now = startMs + 7 * 3_600_000
  assert.match((await look('')).join(), /q-1 still waits, and its deadline has passed/)
  assert.equal((await look('')).length, 2)
})
