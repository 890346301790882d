import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listNames } from '#host/fs'
import { enqueueMissedNotifications, enqueueNotification, getOutboxFolders } from '#notify'
import { appendEvent, type Event, type EventBody, readLog } from '#session/log'
import { readView } from '#session/status'
import { buildConfig, buildPhoneSettings } from '../fixtures/notify-home.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { createTestSession } from '../fixtures/web-sessions.ts'

test('a channel that is switched on begins with what comes then', async t => {
  const home = createScratchFolder(t)
  const off = buildConfig(home)
  const on = buildConfig(home, buildPhoneSettings('http://127.0.0.1:1'))
  const asked: EventBody = { type: 'question.asked', question: 'Which one?' }
  const session = await createTestSession(path.join(home, 'workspace'), '2026-11-20-a-a001', { events: [asked] })
  const countWaiting = () => listNames(getOutboxFolders(home, 'phone').waiting).length
  const lookForMissed = async (config: typeof on) =>
    enqueueMissedNotifications([await readView(session)], config, new Map())
  await lookForMissed(off)
  await lookForMissed(on)
  assert.equal(countWaiting(), 0)
  appendEvent(session.paths.events, asked, 2, new Date())
  await lookForMissed(on)
  assert.equal(countWaiting(), 1)

  const later = new Date(Date.now() + 3_600_000).toISOString()
  const last = readLog(session.paths.events).events.at(-1) as Event
  assert.equal(enqueueNotification(session, { event: { ...last, time: later }, head: undefined }, off), false)
  assert.equal(
    enqueueNotification(session, { event: { ...last, seq: 9 }, head: undefined }, on),
    true,
    'the clock was set back',
  )
})

test('a question loses the secrets of its session, and is left out where those cannot be read', async t => {
  const home = createScratchFolder(t)
  const config = buildConfig(home, { ...buildPhoneSettings('http://127.0.0.1:1'), NOTICE_DETAIL: 'full' })
  const asked: EventBody = { type: 'question.asked', question: 'psql says: Tulip-Garden-42 refused' }
  const session = await createTestSession(config.workspace, '2026-11-20-a-a001', { title: 'Say', events: [asked] })
  const { ignoredFiles, events } = session.paths
  const event = readLog(events).events.at(-1) ?? assert.fail()
  const read = (seq: number) => {
    assert.ok(enqueueNotification(session, { event: { ...event, seq }, head: undefined }, config))
    const { waiting } = getOutboxFolders(home, 'phone')
    const name = listNames(waiting).find(each => each.endsWith(`-00000${seq}.json`)) ?? assert.fail()
    return JSON.parse(fs.readFileSync(path.join(waiting, name), 'utf8'))
      .notification.body.split('\n')
      .slice(1)
  }
  fs.mkdirSync(ignoredFiles)
  fs.writeFileSync(path.join(ignoredFiles, '.env'), 'DATABASE_PASSWORD=Tulip-Garden-42\n')
  assert.deepEqual(read(1), ['Say', 'psql says: [secret withheld: known value] refused'])
  fs.rmSync(ignoredFiles, { recursive: true })
  fs.symlinkSync(ignoredFiles, ignoredFiles)
  assert.deepEqual(read(2), [])
})
