import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, test } from 'node:test'
import { MINUTE_MS } from '#host/time.ts'
import { readChannelHealth, readDeliveryLog, runDeliverer, writeToOutbox } from '#notify'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  quickTiming,
} from '../fixtures/notify-home.ts'
import { startNtfyServer } from '../fixtures/ntfy-server.ts'
import { waitUntil } from '../fixtures/scratch.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))
const brokenServer = buildPhoneSettings('http://127.0.0.1:1')

test('without settings every channel is off and has no problem', () => {
  const home = newHome()
  assert.deepEqual(
    readChannelHealth(home, buildConfig(home)).map(({ channel, isOn, waiting, problem }) => ({
      channel,
      isOn,
      waiting,
      problem,
    })),
    ['desktop', 'phone', 'webhook'].map(channel => ({ channel, isOn: false, waiting: 0, problem: undefined })),
  )
})

test('a sent notification leaves its time and no problem', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const home = newHome()
  const settings = buildPhoneSettings(ntfy.url)
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  ntfy.stop()
  const { sentAt, ...phone } = readPhone(home, settings)
  assert.ok(Date.now() - Date.parse(sentAt ?? '') < MINUTE_MS)
  assert.deepEqual(phone, {
    channel: 'phone',
    isOn: true,
    waiting: 0,
    oldestWaitingAt: null,
    dead: 0,
    lastFailure: null,
    pausedUntil: null,
    problem: undefined,
  })
})

test('five minutes of waiting are a problem, but not in quiet hours', async () => {
  const home = newHome()
  const at = new Date(Date.now() - 4 * MINUTE_MS).toISOString()
  writeToOutbox(home, buildQueuedNotification(1, { at }), ['phone'])
  const stop = new AbortController()
  const running = runDeliverer(home, () => buildConfig(home, brokenServer), quickTiming, stop.signal)
  await waitUntil(() => readDeliveryLog(home, 1).length === 1, 'a failure')
  stop.abort()
  await running
  const now = Date.now()
  const early = readPhone(home, brokenServer, now)
  assert.deepEqual([early.waiting, early.oldestWaitingAt, early.problem], [1, at, undefined])
  assert.ok(early.lastFailure && now - Date.parse(early.lastFailure.at) < MINUTE_MS)
  assert.equal(
    readPhone(home, brokenServer, now + 8 * MINUTE_MS).problem,
    '1 notification to the phone has waited for 12 min: the server cannot be reached (bad port)',
  )
  const quiet = {
    ...brokenServer,
    QUIET_HOURS: `${toTimeOfDay(now - 60 * MINUTE_MS)}-${toTimeOfDay(now + 10 * MINUTE_MS)}`,
  }
  assert.equal(readPhone(home, quiet, now + 8 * MINUTE_MS).problem, undefined)
  assert.equal(readPhone(home, quiet, now + 13 * MINUTE_MS).problem, undefined)
  assert.match(readPhone(home, quiet, now + 17 * MINUTE_MS).problem ?? '', /for 21 min/)
})

test('dead letters are a problem for a day', async () => {
  const ntfy = await startNtfyServer({ status: 413 })
  const home = newHome()
  const settings = buildPhoneSettings(ntfy.url)
  for (const number of [1, 2])
    writeToOutbox(home, buildQueuedNotification(number, { sessionId: `session-${number}` }), ['phone'])
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  ntfy.stop()
  const { dead, problem } = readPhone(home, settings)
  assert.equal(dead, 2)
  assert.equal(problem, '2 notifications did not reach the phone in the last 24 hours: HTTP 413: Payload Too Large')
  assert.equal(readPhone(home, settings, Date.now() + 25 * 60 * MINUTE_MS).problem, undefined)
  assert.equal(readPhone(home, {}).problem, undefined)
})

test('a success ends the problem of earlier dead letters', async () => {
  let isBroken = true
  const ntfy = await startNtfyServer(() => (isBroken ? { status: 413 } : 'ntfy'))
  const home = newHome()
  const settings = buildPhoneSettings(ntfy.url)
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  assert.notEqual(readPhone(home, settings).problem, undefined)
  isBroken = false
  writeToOutbox(home, buildQueuedNotification(2), ['phone'])
  await runDeliverer(home, () => buildConfig(home, settings), quickTiming)
  ntfy.stop()
  const { dead, problem, lastFailure } = readPhone(home, settings)
  assert.deepEqual({ dead, problem, lastFailure }, { dead: 1, problem: undefined, lastFailure: null })
})

test('in quiet hours only a late urgent notification is a problem', () => {
  const home = newHome()
  const now = Date.now()
  const QUIET_HOURS = `${toTimeOfDay(now - 120 * MINUTE_MS)}-${toTimeOfDay(now + 60 * MINUTE_MS)}`
  const toIso = (minutesAgo: number) => new Date(now - minutesAgo * MINUTE_MS).toISOString()
  const readProblem = () => readPhone(home, { ...brokenServer, QUIET_HOURS }, now).problem
  writeToOutbox(home, buildQueuedNotification(1, { at: toIso(40) }), ['phone'])
  assert.equal(readProblem(), undefined)
  writeToOutbox(home, buildQueuedNotification(2, { at: toIso(20), deliverBy: toIso(20) }), ['phone'])
  assert.equal(readProblem(), '2 notifications to the phone wait, the oldest for 20 min')
})

test('of thousands of sent and dead files none is read', t => {
  const home = newHome()
  writeToOutbox(home, buildQueuedNotification(1), ['phone'])
  const countReads = () => {
    const methods = (['readFileSync', 'openSync'] as const).map(name => t.mock.method(fs, name))
    readPhone(home, brokenServer)
    const counts = methods.map(({ mock }) => mock.callCount())
    t.mock.restoreAll()
    return counts
  }
  const before = countReads()
  for (const folder of ['sent', 'dead']) {
    fs.mkdirSync(`${home}/outbox/phone/${folder}`)
    for (let index = 0; index < 2000; index++)
      fs.writeFileSync(`${home}/outbox/phone/${folder}/${String(Date.now() - index).padStart(15, '0')}-x.json`, '{}')
  }
  assert.deepEqual(countReads(), before)
})

function newHome(): string {
  const home = createHome()
  homes.push(home)
  return home
}

function readPhone(home: string, settings: Record<string, string>, now = Date.now()) {
  const [, phone] = readChannelHealth(home, buildConfig(home, settings), now)
  assert.ok(phone)
  return phone
}

function toTimeOfDay(timeMs: number): string {
  return new Date(timeMs).toTimeString().slice(0, 5)
}
