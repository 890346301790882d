import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launchClaimed } from '#cli/queue/claimed-start.ts'
import { readDefaultConfig } from '#host/config'
import { openQueue } from '#queue'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession } from '../../fixtures/web-sessions.ts'

test('a task of which only the beginning has arrived is not started', async t => {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const queue = await openQueue(config.home, { readSessionEnd: async () => 'pending' })
  t.after(() => queue.close())
  const task = Buffer.from('do it, and nothing else')
  await queue.enqueue([createItem({ task })])
  const [claim] = await queue.claim({
    ...{ process: await identifySelf(), capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 1 },
  })
  assert.ok(claim)
  let starts = 0
  const launch = () => {
    starts++
    return createTestSession(config.workspace, '2026-11-20-fix-a001')
  }
  await assert.rejects(launchClaimed(config, claim, task.subarray(0, 5), launch), { exitCode: 5 })
  assert.deepEqual([starts, (await queue.find('q-1'))?.state], [0, 'starting'])
  const { id } = await launchClaimed(config, claim, task, launch)
  assert.deepEqual([starts, (await queue.find('q-1'))?.sessionId], [1, id])
})
