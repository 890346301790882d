import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Notice, push } from '../../notify/index.ts'
import { sendToPhone } from '../../notify/phone.ts'
import { type Manner, startNtfy } from './ntfy-server.ts'

const topic = 'secret-topic-9f3a'
const notice: Notice = {
  title: 'Dispatch started',
  body: '2026-11-20-fix-login-a3f9 is planning',
  priority: 4,
  tags: ['rocket', 'x'],
  click: 'https://desk.example/s/2026-11-20-fix-login-a3f9',
}

test('a notice arrives as ntfy wants it: topic, title, tags, priority, link, token as the Basic password', async () => {
  const { delivery, got } = await send('ntfy', { token: 'tk_abc' })
  assert.deepEqual(delivery, { channel: 'phone', ok: true, why: '', status: 200 })
  const [published] = got
  assert.equal(published?.method, 'POST')
  assert.equal(published?.path, `/${topic}`)
  assert.equal(published?.body, notice.body)
  const { headers } = published ?? { headers: {} }
  assert.equal(headers['x-title'], notice.title)
  assert.equal(headers['x-tags'], 'rocket,x')
  assert.equal(headers['x-priority'], '4')
  assert.equal(headers['x-actions'], `view, Open, ${notice.click}`)
  assert.equal(headers['authorization'], `Basic ${Buffer.from(':tk_abc').toString('base64')}`)
})

test('without a token there is no Authorization', async () => {
  const { got } = await send('ntfy')
  assert.equal(got[0]?.headers['authorization'], undefined)
})

test('a page on loopback is no link on a phone', async () => {
  const { got } = await send('ntfy', { notice: { ...notice, click: 'http://127.0.0.1:7777/s/x' } })
  assert.ok(!JSON.stringify(got[0]?.headers).includes('7777/s/x'))
})

test('a server under a path keeps its path', async () => {
  const { got } = await send('ntfy', { under: '/push' })
  assert.equal(got[0]?.path, `/push/${topic}`)
})

test('an emoji, an escape sequence and a line break cannot break the request', async () => {
  const hostile = { ...notice, title: '\u{1f680} go\r\nX-Evil: 1', body: 'a\u001b[2Jb' }
  const { delivery, got } = await send('ntfy', { notice: hostile })
  assert.equal(delivery.ok, true)
  assert.equal(got[0]?.headers['x-evil'], undefined)
  assert.equal(got[0]?.headers['x-title'], '? go X-Evil: 1')
  assert.equal(got[0]?.body, 'a\\u{1b}[2Jb')
})

const refusals: [string, Manner, Record<string, unknown>][] = [
  ['500', { status: 500 }, { status: 500, why: 'HTTP 500: Internal Server Error' }],
  ['429', { status: 429, retryAfter: '30' }, { status: 429, why: 'HTTP 429: Too Many Requests; Retry-After: 30' }],
  ['403', { status: 403 }, { status: 403, why: 'HTTP 403: Forbidden' }],
  ['a captive portal', 'portal', { status: 200, why: 'HTTP 200: the server did not answer as ntfy does' }],
  ['silence', 'never', { why: 'no answer in 0.3 s' }],
  ['headers and then silence', 'headers only', { why: 'no answer in 0.3 s' }],
]

for (const [what, manner, expected] of refusals) {
  test(`${what} is told as it is, soon, and without the topic`, async () => {
    const started = performance.now()
    const { delivery } = await send(manner)
    assert.deepEqual(delivery, { channel: 'phone', ok: false, ...expected })
    assert.ok(performance.now() - started < 2000)
    assert.ok(!JSON.stringify(delivery).includes(topic))
  })
}

test('a server that is not there is told as that', async () => {
  const ntfy = await startNtfy('ntfy')
  ntfy.stop()
  const delivery = await sendToPhone(notice, { NTFY_SERVER: ntfy.url, NTFY_TOPIC: topic, NTFY_TOKEN: '' })
  assert.deepEqual(delivery, { channel: 'phone', ok: false, why: 'the server cannot be reached (ECONNREFUSED)' })
})

test('channels that are off are not in the answer', async () => {
  const off = { DESKTOP: 'off', NTFY_SERVER: 'http://127.0.0.1:1', NTFY_TOPIC: '', NTFY_TOKEN: '' } as const
  assert.deepEqual(await push(notice, off), [])
})

async function send(manner: Manner, options: { token?: string; under?: string; notice?: Notice } = {}) {
  const ntfy = await startNtfy(manner)
  try {
    const phone = { NTFY_SERVER: ntfy.url + (options.under ?? ''), NTFY_TOPIC: topic, NTFY_TOKEN: options.token ?? '' }
    return { delivery: await sendToPhone(options.notice ?? notice, phone, 300), got: ntfy.got }
  } finally {
    ntfy.stop()
  }
}
