import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { notifyNeeds } from '#cli/queue/needs-notifications.ts'
import { readDefaultConfig } from '#host/config'
import { identify } from '#host/process'
import { getOutboxFolders } from '#notify'
import { type NewItem, openQueue } from '#queue'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('an item that needs a person is told once, and again when it needs one again', async t => {
  const home = createScratchFolder(t)
  const config = { ...readDefaultConfig({ DISPATCH_HOME: home }), NTFY_TOPIC: 'a-topic-that-is-long-enough' }
  let now = 0
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending', now: () => now })
  const item: NewItem = {
    repository: '/srv/shop',
    task: Buffer.from('a secret task'),
    title: 'a secret task',
    options: [],
    priority: 'default',
    needs: [],
    notBefore: null,
    after: [],
    source: 'shell',
  }
  const [id = ''] = await queue.enqueue([item])
  const fail = async () => {
    const process_ = (await identify(process.pid)) ?? assert.fail()
    const limits = { slots: 1, roomByRepository: {}, defaultRoom: 9 }
    const [claim] = await queue.claim({ process: process_, capabilities: [], ...limits })
    await queue.settle(claim ?? assert.fail(), { kind: 'needs you', reason: 'no repository at /srv/shop' })
  }
  const readWaiting = () =>
    fs
      .readdirSync(getOutboxFolders(home, 'phone').waiting)
      .map(name => fs.readFileSync(`${getOutboxFolders(home, 'phone').waiting}/${name}`, 'utf8'))

  await fail()
  await notifyNeeds(config, queue)
  await notifyNeeds(config, queue)
  const [told = '', ...more] = readWaiting()
  assert.deepEqual(more, [])
  assert.match(told, /q-1 \(shop\) does not go on by itself. Next: dispatch queue show q-1/)
  assert.doesNotMatch(told, /secret task|srv/, 'by default it says nothing of the task')

  await queue.decide(id, 'again')
  await notifyNeeds(config, queue)
  now = 60_000
  await fail()
  await notifyNeeds(config, queue)
  assert.equal(readWaiting().length, 2)
})
