import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readConfig } from '#host/config'
import { waitForStart } from '#runner'
import { appendEvent, type EventBody } from '#session/log'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { createTestSession } from '../fixtures/web-sessions.ts'

const started: EventBody = { type: 'orchestrator.started', claudeSessionId: 'c' }
const needed: EventBody = { type: 'human.needed', reason: 'which database?' }

async function openSession(t: TestContext, events: EventBody[]) {
  const config = readConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const session = await createTestSession(config.workspace, '2026-11-20-fix-a003')
  for (const event of events) appendEvent(session.paths.events, event, 1, new Date())
  return { session, config }
}

test('a model that answers and then needs a person has started, also while the repository is being copied', async t => {
  const { session, config } = await openSession(t, [started, needed])
  assert.deepEqual(await waitForStart(session, config), { isParked: false, isCopying: true })
})

test('a session that needs a person before the first answer has not started', async t => {
  const { session, config } = await openSession(t, [needed])
  await assert.rejects(waitForStart(session, config), /did not start: which database\?/)
})
