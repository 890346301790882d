import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notification } from '#notify'
import { buildNtfyUrl, sendToPhone } from '#notify/channels/phone.ts'
import { testTopic } from '../../fixtures/notify-home.ts'
import { type ResponseMode, startNtfyServer } from '../../fixtures/ntfy-server.ts'

const click = 'https://desk.example/s/2026-11-20-fix-login-a3f9'
const notice: Notification = {
  title: 'Dispatch started',
  body: '2026-11-20-fix-login-a3f9 is planning',
  priority: 4,
  tags: ['rocket', 'x'],
  click,
}

test('a notice arrives as ntfy wants it: topic, title, tags, priority, link, token as the Basic password', async () => {
  const { delivery, got } = await send('ntfy', { token: 'tk_abc', sequence: 'session-7' })
  assert.deepEqual({ ...delivery, id: '' }, { channel: 'phone', ok: true, reason: '', status: 200, id: '' })
  const [published] = got
  assert.equal(published?.method, 'POST')
  assert.equal(published?.path, `/${testTopic}`)
  assert.deepEqual(Object.fromEntries(published?.query ?? []), { 'sequence-id': 'session-7', click })
  assert.equal(published?.body, notice.body)
  const { headers } = published ?? { headers: {} }
  assert.equal(headers['x-title'], notice.title)
  assert.equal(headers['x-tags'], 'rocket,x')
  assert.equal(headers['x-priority'], '4')
  assert.equal(headers['x-actions'], `view, Open, ${click}`)
  assert.equal(headers['authorization'], `Basic ${Buffer.from(':tk_abc').toString('base64')}`)
})

test('without a token there is no Authorization', async () => {
  const { got } = await send('ntfy')
  assert.equal(got[0]?.headers['authorization'], undefined)
})

test('a page on loopback is no link on a phone', async () => {
  const { got } = await send('ntfy', { notice: { ...notice, click: 'http://127.0.0.1:7777/s/x' } })
  assert.ok(!JSON.stringify(got[0]?.headers).includes('7777/s/x'))
  assert.equal(got[0]?.query.size, 0)
})

test('a link full of signs is one link, and asks the server for nothing else', async () => {
  const odd = 'https://desk.example/s?a=1&priority=5,x;y#z'
  const { got } = await send('ntfy', { notice: { ...notice, click: odd } })
  assert.deepEqual([...(got[0]?.query.keys() ?? [])], ['click'])
  assert.equal(got[0]?.query.get('click'), odd)
  assert.equal(got[0]?.headers['x-actions'], `view, Open, ${odd.replace(',', '%2C').replace(';', '%3B')}`)
})

test('a server under a path keeps its path', async () => {
  const { got } = await send('ntfy', { under: '/push' })
  assert.equal(got[0]?.path, `/push/${testTopic}`)
  const phone = { NTFY_SERVER: 'https://x.example/push', NTFY_TOPIC: testTopic, NTFY_TOKEN: '' }
  assert.equal(buildNtfyUrl(phone, '/json').href, `https://x.example/push/${testTopic}/json`)
})

test('an emoji, an escape sequence and a line break cannot break the request', async () => {
  const hostile = { ...notice, title: '\u{1f680} go\r\nX-Evil: 1', body: 'a\u001b[2Jb' }
  const { delivery, got } = await send('ntfy', { notice: hostile })
  assert.equal(delivery.ok, true)
  assert.equal(got[0]?.headers['x-evil'], undefined)
  assert.equal(got[0]?.headers['x-title'], '? go X-Evil: 1')
  assert.equal(got[0]?.body, 'a\\u{1b}[2Jb')
})

test('a body keeps its lines, each of them clean, and stays within what ntfy takes', async () => {
  const { got } = await send('ntfy', { notice: { ...notice, body: 'one\ntwo\u0007\r\nthree' } })
  assert.equal(got[0]?.body, 'one\ntwo\\u{7}\nthree')
  const wide = await send('ntfy', { notice: { ...notice, body: `${'\u{1f680}'.repeat(290)}\n`.repeat(9) } })
  assert.ok(Buffer.byteLength(wide.got[0]?.body ?? '') <= 4096)
})

const elsewhere = { status: 308, location: 'http://127.0.0.1:1/' }
const refusals: [string, ResponseMode, Record<string, unknown>][] = [
  ['500', { status: 500 }, { status: 500, reason: 'HTTP 500: Internal Server Error' }],
  ['429', { status: 429, retryAfter: '30' }, { status: 429, reason: 'HTTP 429: Too Many Requests', retryAfterMs: 30_000 }],
  ['403', { status: 403 }, { status: 403, reason: 'HTTP 403: Forbidden' }],
  ['a captive portal', 'portal', { status: 200, reason: 'HTTP 200: the server did not answer as ntfy does' }],
  [
    'a redirect',
    elsewhere,
    { status: 308, reason: 'HTTP 308: it sends us elsewhere; NTFY_SERVER must name the place itself' },
  ],
  ['silence', 'never', { reason: 'no answer in 0.3 s' }],
  ['headers and then silence', 'headers only', { status: 200, reason: 'HTTP 200: no answer in 0.3 s' }],
]

for (const [what, manner, expected] of refusals) {
  test(`${what} is told as it is, soon, and without the topic`, async () => {
    const started = performance.now()
    const { delivery } = await send(manner, { deadline: /silence/.test(what) ? 300 : 5000 })
    assert.deepEqual(delivery, { channel: 'phone', ok: false, ...expected })
    assert.ok(performance.now() - started < 2000)
    assert.ok(!JSON.stringify(delivery).includes(testTopic))
  })
}

test('at the deadline the request is broken off, and not only left alone', async () => {
  const ntfy = await startNtfyServer('never')
  const broken = new Promise(resolve => ntfy.server.once('request', request => request.once('close', resolve)))
  await sendToPhone(notice, { NTFY_SERVER: ntfy.url, NTFY_TOPIC: testTopic, NTFY_TOKEN: '' }, { deadline: 200 })
  await broken
  ntfy.stop()
})

test('a server that is not there is told as that', async () => {
  const ntfy = await startNtfyServer('ntfy')
  ntfy.stop()
  const delivery = await sendToPhone(notice, { NTFY_SERVER: ntfy.url, NTFY_TOPIC: testTopic, NTFY_TOKEN: '' })
  assert.deepEqual(delivery, { channel: 'phone', ok: false, reason: 'the server cannot be reached (ECONNREFUSED)' })
})

test('fetch outside of a push is Node’s own, deadline and all', async () => {
  const ntfy = await startNtfyServer({ status: 302, location: '/followed' })
  await sendToPhone(notice, { NTFY_SERVER: ntfy.url, NTFY_TOPIC: testTopic, NTFY_TOKEN: '' })
  const response = await fetch(`${ntfy.url}/x`, { method: 'POST', body: 'x' })
  ntfy.stop()
  assert.equal(response.redirected, true)
})

interface Options {
  token?: string
  under?: string
  notice?: Notification
  sequence?: string
  deadline?: number
}

async function send(
  manner: ResponseMode,
  { token = '', under = '', deadline = 5000, sequence, ...other }: Options = {},
) {
  const ntfy = await startNtfyServer(manner)
  try {
    const phone = { NTFY_SERVER: ntfy.url + under, NTFY_TOPIC: testTopic, NTFY_TOKEN: token }
    const how = { deadline, ...(sequence === undefined ? {} : { sequence }) }
    return { delivery: await sendToPhone(other.notice ?? notice, phone, how), got: ntfy.got }
  } finally {
    ntfy.stop()
  }
}
