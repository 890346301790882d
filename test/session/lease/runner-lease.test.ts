import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { releaseLease } from '#host/lease'
import { acquireRunnerLease, requireRunnerLease, SessionBusyError } from '#session/lease'
import { removeSession } from '#session/removal'
import { createTestSession } from '../../fixtures/new-session.ts'

test('a second one is refused as long as the first has the lease', async t => {
  const session = createTestSession(t)
  const lease = (await acquireRunnerLease(session)) ?? assert.fail()
  assert.equal(await acquireRunnerLease(session), undefined)
  await assert.rejects(requireRunnerLease(session), (error: Error) => {
    assert.ok(error instanceof SessionBusyError)
    assert.equal(error.exitCode, 5)
    assert.match(error.message, new RegExp(`process ${process.pid}$`))
    return true
  })
  releaseLease(session.paths.runnerLease, lease)
  assert.equal((await requireRunnerLease(session)).generation, 2)
})

test('who comes late to a session that was removed makes no folder in its place', async t => {
  const session = createTestSession(t)
  const workspace = path.dirname(session.paths.folder)
  await acquireRunnerLease(session)
  removeSession(workspace, session)
  await assert.rejects(acquireRunnerLease(session), { exitCode: 4, message: /was removed/ })
  assert.deepEqual(fs.readdirSync(workspace), [])
})
