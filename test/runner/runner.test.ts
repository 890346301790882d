import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { readDefaultConfig } from '#host/config'
import { isLeaseFree } from '#host/lease'
import { closeSession } from '#runner/runner.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { createTestSession } from '../fixtures/web-sessions.ts'

test('a session that cannot be closed leaves no lease with the process that tried', async t => {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const session = await createTestSession(config.workspace, '2026-11-20-fix-a003')
  const { events, runnerLease } = session.paths
  fs.renameSync(events, `${events}.kept`)
  fs.mkdirSync(events)
  await assert.rejects(closeSession(session, config, 'dispatch', 'to make room'))
  assert.ok(await isLeaseFree(runnerLease))
  fs.rmdirSync(events)
  fs.renameSync(`${events}.kept`, events)
  await closeSession(session, config, 'dispatch', 'to make room')
  assert.ok(await isLeaseFree(runnerLease))
})
