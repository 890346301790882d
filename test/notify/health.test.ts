import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, test } from 'node:test'
import { readChannelHealth, runDeliverer, writeToOutbox } from '#notify'
import {
  buildConfig,
  buildPhoneSettings,
  buildQueuedNotification,
  createHome,
  quickTiming,
} from '../fixtures/notify-home.ts'
import { startNtfyServer } from '../fixtures/ntfy-server.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))
const minute = 60_000

test('nothing sent, nothing set: every channel is off and none is sick', () => {
  const health = readChannelHealth(home(), buildConfig(home()))
  assert.deepEqual(
    health.map(({ channel, isOn, waiting, problem }) => ({ channel, on: isOn, waiting, sick: problem })),
    ['desktop', 'phone', 'webhook'].map(channel => ({ channel, on: false, waiting: 0, sick: undefined })),
  )
})

test('a notice that was sent leaves the time, and nothing that is wrong', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const place = home()
  const config = buildConfig(place, buildPhoneSettings(ntfy.url))
  writeToOutbox(place, buildQueuedNotification(1), ['phone'])
  await runDeliverer(place, () => config, quickTiming)
  ntfy.stop()
  const { sentAt, ...phone } = phoneOf(place, buildPhoneSettings(ntfy.url))
  assert.ok(Date.now() - Date.parse(sentAt ?? '') < minute)
  const well = { waiting: 0, oldestWaitingAt: null, dead: 0, lastFailure: null, pausedUntil: null, problem: undefined }
  assert.deepEqual(phone, { channel: 'phone', isOn: true, ...well })
})

test('a notice that waits five minutes is sickness, with its reason; in quiet hours it is none', async () => {
  const place = home()
  const settings = buildPhoneSettings('http://127.0.0.1:1')
  const at = new Date(Date.now() - 4 * minute).toISOString()
  writeToOutbox(place, buildQueuedNotification(1, { at }), ['phone'])
  const asked = new AbortController()
  const running = runDeliverer(place, () => buildConfig(place, settings), quickTiming, asked.signal)
  await new Promise(resolve => setTimeout(resolve, 300))
  asked.abort()
  await running
  const now = Date.now()
  const early = phoneOf(place, settings, now)
  assert.deepEqual([early.waiting, early.oldestWaitingAt, early.problem], [1, at, undefined])
  assert.ok(early.lastFailure && now - Date.parse(early.lastFailure.at) < minute)
  assert.equal(
    phoneOf(place, settings, now + 8 * minute).problem,
    '1 notice for the phone waits, the oldest for 12 min: the server cannot be reached (bad port)',
  )
  const time = (then: number) => new Date(then).toTimeString().slice(0, 5)
  const quiet = { ...settings, QUIET_HOURS: `${time(now - 60 * minute)}-${time(now + 10 * minute)}` }
  assert.equal(phoneOf(place, quiet, now + 8 * minute).problem, undefined)
  assert.equal(phoneOf(place, quiet, now + 13 * minute).problem, undefined)
  assert.match(phoneOf(place, quiet, now + 17 * minute).problem ?? '', /the oldest for 21 min/)
})

test('dead letters are sickness for a day, and a pause is told', async () => {
  const ntfy = await startNtfyServer({ status: 413 })
  const place = home()
  const settings = buildPhoneSettings(ntfy.url)
  for (const nth of [1, 2])
    writeToOutbox(place, buildQueuedNotification(nth, { sessionId: `session-${nth}` }), ['phone'])
  await runDeliverer(place, () => buildConfig(place, settings), quickTiming)
  ntfy.stop()
  const { dead, problem } = phoneOf(place, settings)
  assert.equal(dead, 2)
  assert.equal(problem, 'the phone has not taken 2 notices within the last day: HTTP 413: Payload Too Large')
  assert.equal(phoneOf(place, settings, Date.now() + 25 * 60 * minute).problem, undefined)
  assert.equal(phoneOf(place, {}).problem, undefined)
})

test('a channel that takes again is well, whatever it gave up before', async () => {
  let isBroken = true
  const ntfy = await startNtfyServer(() => (isBroken ? { status: 413 } : 'ntfy'))
  const place = home()
  const settings = buildPhoneSettings(ntfy.url)
  writeToOutbox(place, buildQueuedNotification(1), ['phone'])
  await runDeliverer(place, () => buildConfig(place, settings), quickTiming)
  assert.match(phoneOf(place, settings).problem ?? '', /has not taken 1 notice/)
  isBroken = false
  writeToOutbox(place, buildQueuedNotification(2), ['phone'])
  await runDeliverer(place, () => buildConfig(place, settings), quickTiming)
  ntfy.stop()
  const { dead, problem, lastFailure } = phoneOf(place, settings)
  assert.deepEqual({ dead, sick: problem, trouble: lastFailure }, { dead: 1, sick: undefined, trouble: null })
})

test('in quiet hours an urgent notice that does not go is sickness, though an older one only waits for the morning', () => {
  const place = home()
  const now = Date.now()
  const time = (then: number) => new Date(then).toTimeString().slice(0, 5)
  const QUIET_HOURS = `${time(now - 120 * minute)}-${time(now + 60 * minute)}`
  const at = (minutes: number) => new Date(now - minutes * minute).toISOString()
  writeToOutbox(place, buildQueuedNotification(1, { at: at(40) }), ['phone'])
  const sickNow = () => phoneOf(place, { ...buildPhoneSettings('http://127.0.0.1:1'), QUIET_HOURS }, now).problem
  assert.equal(sickNow(), undefined)
  writeToOutbox(place, buildQueuedNotification(2, { at: at(20), deliverBy: at(20) }), ['phone'])
  assert.equal(sickNow(), '2 notices for the phone wait, the oldest for 20 min')
})

test('it is cheap enough for a page, with thousands of notices behind it', () => {
  const place = home()
  const settings = buildPhoneSettings('http://127.0.0.1:1')
  writeToOutbox(place, buildQueuedNotification(1), ['phone'])
  for (const folder of ['sent', 'dead']) {
    fs.mkdirSync(`${place}/outbox/phone/${folder}`)
    for (let nth = 0; nth < 2000; nth++)
      fs.writeFileSync(`${place}/outbox/phone/${folder}/${String(Date.now() - nth).padStart(15, '0')}-x.json`, '{}')
  }
  phoneOf(place, settings)
  const started = performance.now()
  for (let nth = 0; nth < 10; nth++) phoneOf(place, settings)
  assert.ok((performance.now() - started) / 10 < 100)
})

function home(): string {
  const place = createHome()
  homes.push(place)
  return place
}

function phoneOf(place: string, settings: Record<string, string>, now = Date.now()) {
  const [, phone] = readChannelHealth(place, buildConfig(place, settings), now)
  assert.ok(phone)
  return phone
}
