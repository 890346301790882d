import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readConfig } from '#host/config'
import { acquireLease, holdsLease } from '#host/lease'
import { identify, type ProcessIdentity } from '#host/process'
import { isSessionOpen, stopSession } from '#runner'
import type { Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, findOtherHost, readView, refuseOtherHost } from '#session/status'
import { classifyNeed } from '#watchdog'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession } from '../../fixtures/web-sessions.ts'

/** This process, as another machine that shares the home would have recorded it. */
async function identifyElsewhere(): Promise<ProcessIdentity> {
  const self = (await identify(process.pid)) ?? assert.fail()
  return { ...self, bootId: 'another', place: { hostName: 'attic', machine: 'another', pidNamespace: 'pid:[1]' } }
}

const readStatus = ({ paths }: Session) => computeStatus(readLog(paths.events).events)

test('a session of another machine is left alone, until its machine is said to be gone', async t => {
  const config = readConfig({ DISPATCH_HOME: path.join(createScratchFolder(t), 'home') })
  const session = await createTestSession(config.workspace, '2026-11-20-fix-a001')
  const lease = (await acquireLease(session.paths.runnerLease, await identifyElsewhere())) ?? assert.fail()

  assert.equal(await findOtherHost(session), 'attic')
  const view = await readView(session)
  assert.deepEqual([view.runnerLiveness, view.otherHost], ['elsewhere', 'attic'])
  assert.equal(classifyNeed(view, { nowMs: Date.now() + 1e9, isTerminalOpen: true }), 'none')
  for (const refused of [refuseOtherHost(session), stopSession(session, config)])
    await assert.rejects(refused, {
      exitCode: 5,
      message: /belongs to attic/,
      remedy: /dispatch stop a001 --host-gone/,
    })
  assert.ok(!fs.existsSync(session.paths.stopRequest), 'its runner is not asked to stop either')
  assert.ok(await isSessionOpen(session, config), 'so it is not removed')

  assert.equal(await stopSession(session, config, { isHostGone: true }), true)
  assert.ok(!holdsLease(session.paths.runnerLease, lease), 'a runner that lives after all stands aside')
  assert.equal(readStatus(session).closed?.reason, 'dispatch stop --host-gone')
  assert.deepEqual([await findOtherHost(session), await isSessionOpen(session, config)], [undefined, false])
})

test('a session that was closed before its machine was gone is only released', async t => {
  const config = readConfig({ DISPATCH_HOME: path.join(createScratchFolder(t), 'home') })
  const closed = { type: 'session.closed', actor: 'you', reason: 'done' } as const
  const session = await createTestSession(config.workspace, '2026-11-20-fix-a002', { events: [closed] })
  await acquireLease(session.paths.runnerLease, await identifyElsewhere())
  assert.equal(await stopSession(session, config), false)
  assert.ok(await isSessionOpen(session, config))
  await stopSession(session, config, { isHostGone: true })
  assert.deepEqual([readStatus(session).closed?.reason, await isSessionOpen(session, config)], ['done', false])
})
