import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, test } from 'node:test'
import { deliver, healthOf, post } from '../../notify/index.ts'
import { configOf, messageOf, newHome, ofPhone, quick } from './home.ts'
import { startNtfy } from './ntfy-server.ts'

const homes: string[] = []
after(() => homes.forEach(home => void fs.rmSync(home, { recursive: true, force: true })))
const minute = 60_000

test('nothing sent, nothing set: every channel is off and none is sick', () => {
  const health = healthOf(home(), configOf(home()))
  assert.deepEqual(
    health.map(({ channel, on, waiting, sick }) => ({ channel, on, waiting, sick })),
    ['desktop', 'phone', 'webhook'].map(channel => ({ channel, on: false, waiting: 0, sick: undefined })),
  )
})

test('a notice that was sent leaves the time, and nothing that is wrong', async () => {
  const ntfy = await startNtfy('ntfy')
  const place = home()
  const config = configOf(place, ofPhone(ntfy.url))
  post(place, messageOf(1), ['phone'])
  await deliver(place, () => config, quick)
  ntfy.stop()
  const { sentAt, ...phone } = phoneOf(place, ofPhone(ntfy.url))
  assert.ok(Date.now() - Date.parse(sentAt ?? '') < minute)
  const well = { waiting: 0, oldest: null, dead: 0, trouble: null, pausedUntil: null, sick: undefined }
  assert.deepEqual(phone, { channel: 'phone', on: true, ...well })
})

test('a notice that waits five minutes is sickness, with its reason; in quiet hours it is none', async () => {
  const place = home()
  const settings = ofPhone('http://127.0.0.1:1')
  const at = new Date(Date.now() - 4 * minute).toISOString()
  post(place, messageOf(1, { at }), ['phone'])
  const asked = new AbortController()
  const running = deliver(place, () => configOf(place, settings), quick, asked.signal)
  await new Promise(resolve => setTimeout(resolve, 300))
  asked.abort()
  await running
  const now = Date.now()
  const early = phoneOf(place, settings, now)
  assert.deepEqual([early.waiting, early.oldest, early.sick], [1, at, undefined])
  assert.ok(early.trouble && now - Date.parse(early.trouble.at) < minute)
  assert.equal(
    phoneOf(place, settings, now + 8 * minute).sick,
    '1 notice for the phone waits, the oldest for 12 min: the server cannot be reached (bad port)',
  )
  const time = (then: number) => new Date(then).toTimeString().slice(0, 5)
  const quiet = { ...settings, QUIET_HOURS: `${time(now - 60 * minute)}-${time(now + 10 * minute)}` }
  assert.equal(phoneOf(place, quiet, now + 8 * minute).sick, undefined)
  assert.equal(phoneOf(place, quiet, now + 13 * minute).sick, undefined)
  assert.match(phoneOf(place, quiet, now + 17 * minute).sick ?? '', /the oldest for 21 min/)
})

test('dead letters are sickness for a day, and a pause is told', async () => {
  const ntfy = await startNtfy({ status: 413 })
  const place = home()
  const settings = ofPhone(ntfy.url)
  for (const nth of [1, 2]) post(place, messageOf(nth, { of: `session-${nth}` }), ['phone'])
  await deliver(place, () => configOf(place, settings), quick)
  ntfy.stop()
  const { dead, sick } = phoneOf(place, settings)
  assert.equal(dead, 2)
  assert.equal(sick, 'the phone has not taken 2 notices within the last day: HTTP 413: Payload Too Large')
  assert.equal(phoneOf(place, settings, Date.now() + 25 * 60 * minute).sick, undefined)
  assert.equal(phoneOf(place, {}).sick, undefined)
})

test('a channel that takes again is well, whatever it gave up before', async () => {
  let isBroken = true
  const ntfy = await startNtfy(() => (isBroken ? { status: 413 } : 'ntfy'))
  const place = home()
  const settings = ofPhone(ntfy.url)
  post(place, messageOf(1), ['phone'])
  await deliver(place, () => configOf(place, settings), quick)
  assert.match(phoneOf(place, settings).sick ?? '', /has not taken 1 notice/)
  isBroken = false
  post(place, messageOf(2), ['phone'])
  await deliver(place, () => configOf(place, settings), quick)
  ntfy.stop()
  const { dead, sick, trouble } = phoneOf(place, settings)
  assert.deepEqual({ dead, sick, trouble }, { dead: 1, sick: undefined, trouble: null })
})

test('in quiet hours an urgent notice that does not go is sickness, though an older one only waits for the morning', () => {
  const place = home()
  const now = Date.now()
  const time = (then: number) => new Date(then).toTimeString().slice(0, 5)
  const QUIET_HOURS = `${time(now - 120 * minute)}-${time(now + 60 * minute)}`
  const at = (minutes: number) => new Date(now - minutes * minute).toISOString()
  post(place, messageOf(1, { at: at(40) }), ['phone'])
  const sickNow = () => phoneOf(place, { ...ofPhone('http://127.0.0.1:1'), QUIET_HOURS }, now).sick
  assert.equal(sickNow(), undefined)
  post(place, messageOf(2, { at: at(20), latest: at(20) }), ['phone'])
  assert.equal(sickNow(), '2 notices for the phone wait, the oldest for 20 min')
})

test('it is cheap enough for a page, with thousands of notices behind it', () => {
  const place = home()
  const settings = ofPhone('http://127.0.0.1:1')
  post(place, messageOf(1), ['phone'])
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
  const place = newHome()
  homes.push(place)
  return place
}

function phoneOf(place: string, settings: Record<string, string>, now = Date.now()) {
  const [, phone] = healthOf(place, configOf(place, settings), now)
  assert.ok(phone)
  return phone
}
