import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Notification } from '#notify'
import { buildNtfyUrl, sendToPhone } from '#notify/channels/ntfy.ts'
import { testTopic } from '../../fixtures/notify-home.ts'
import { type ResponseMode, startNtfyServer } from '../../fixtures/ntfy-server.ts'
import { HANG_MS, withEnoughTime } from '../../fixtures/scratch.ts'

const click = 'https://desk.example/s/2026-11-20-fix-login-a3f9'
const notification: Notification = {
  title: 'Dispatch started',
  body: '2026-11-20-fix-login-a3f9 is planning',
  priority: 4,
  tags: ['rocket', 'x'],
  click,
}

test('a notification has topic, title, tags, priority, link and token', async () => {
  const { result, got } = await send('ntfy', { token: 'tk_abc', sequenceId: 'session-7' })
  assert.deepEqual({ ...result, id: '' }, { ok: true, reason: '', status: 200, id: '' })
  const [published] = got
  assert.equal(published?.method, 'POST')
  assert.equal(published?.path, `/${testTopic}`)
  assert.deepEqual(Object.fromEntries(published?.query ?? []), { 'sequence-id': 'session-7', click })
  assert.equal(published?.body, notification.body)
  const { headers } = published ?? { headers: {} }
  assert.equal(headers['x-title'], notification.title)
  assert.equal(headers['x-tags'], 'rocket,x')
  assert.equal(headers['x-priority'], '4')
  assert.equal(headers['x-actions'], `view, Open, ${click}`)
  assert.equal(headers['authorization'], `Basic ${Buffer.from(':tk_abc').toString('base64')}`)
})

test('without a token there is no Authorization header', async () => {
  const { got } = await send('ntfy')
  assert.equal(got[0]?.headers['authorization'], undefined)
})

test('a page on loopback is not sent as a link', async () => {
  const { got } = await send('ntfy', { notification: { ...notification, click: 'http://127.0.0.1:7777/s/x' } })
  assert.ok(!JSON.stringify(got[0]?.headers).includes('7777/s/x'))
  assert.equal(got[0]?.query.size, 0)
})

test('special characters in a link set no other option of ntfy', async () => {
  const link = 'https://desk.example/s?a=1&priority=5,x;y#z'
  const { got } = await send('ntfy', { notification: { ...notification, click: link } })
  assert.deepEqual([...(got[0]?.query.keys() ?? [])], ['click'])
  assert.equal(got[0]?.query.get('click'), link)
  assert.equal(got[0]?.headers['x-actions'], `view, Open, ${link.replace(',', '%2C').replace(';', '%3B')}`)
})

test('a server under a path keeps its path', async () => {
  const { got } = await send('ntfy', { basePath: '/push' })
  assert.equal(got[0]?.path, `/push/${testTopic}`)
  assert.equal(
    buildNtfyUrl(buildSettings('https://x.example/push'), '/json').href,
    `https://x.example/push/${testTopic}/json`,
  )
})

test('emoji, escape sequences and line breaks cannot change the request', async () => {
  const hostile = { ...notification, title: '\u{1f680} go\r\nX-Evil: 1', body: 'a\u001b[2Jb' }
  const { result, got } = await send('ntfy', { notification: hostile })
  assert.equal(result.ok, true)
  assert.equal(got[0]?.headers['x-evil'], undefined)
  assert.equal(got[0]?.headers['x-title'], '? go X-Evil: 1')
  assert.equal(got[0]?.body, 'a\\u{1b}[2Jb')
})

test('a body keeps its lines, sanitized, and has at most 4,096 bytes', async () => {
  const { got } = await send('ntfy', { notification: { ...notification, body: 'one\ntwo\u0007\r\nthree' } })
  assert.equal(got[0]?.body, 'one\ntwo\\u{7}\nthree')
  const wide = await send('ntfy', { notification: { ...notification, body: `${'\u{1f680}'.repeat(290)}\n`.repeat(9) } })
  assert.ok(Buffer.byteLength(wide.got[0]?.body ?? '') <= 4096)
})

const redirect = { status: 308, location: 'http://127.0.0.1:1/' }
const refusals: [string, ResponseMode, Record<string, unknown>][] = [
  ['500', { status: 500 }, { status: 500, reason: 'HTTP 500: Internal Server Error' }],
  [
    '429',
    { status: 429, retryAfter: '30' },
    { status: 429, reason: 'HTTP 429: Too Many Requests', retryAfterMs: 30_000 },
  ],
  ['403', { status: 403 }, { status: 403, reason: 'HTTP 403: Forbidden' }],
  ['a captive portal', 'portal', { status: 200, reason: 'HTTP 200: the answer does not come from an ntfy server' }],
  [
    'a redirect',
    redirect,
    { status: 308, reason: 'HTTP 308: the server redirects; set NTFY_SERVER to the final address' },
  ],
  ['no answer', 'never', { reason: 'no answer in 0.3 s' }],
]

for (const [what, mode, expected] of refusals) {
  test(`${what} is reported without the topic`, async () => {
    const { result } = await send(mode, mode === 'never' ? { timeoutMs: 300 } : {})
    assert.deepEqual(result, { ok: false, ...expected })
    assert.ok(!JSON.stringify(result).includes(testTopic))
  })
}

test('headers without a body are reported with their status', () =>
  withEnoughTime(async limitMs => {
    const { result } = await send('headers only', { timeoutMs: limitMs })
    const reason = `no answer in ${limitMs / 1000} s`
    if (result.status === undefined) assert.equal(result.reason, reason)
    else assert.deepEqual(result, { ok: false, status: 200, reason: `HTTP 200: ${reason}` })
    return result.status !== undefined
  }))

test('a timeout closes the connection', async () => {
  const ntfy = await startNtfyServer('never')
  const closed: Promise<unknown>[] = []
  ntfy.server.on('request', ({ socket }) => void closed.push(once(socket, 'close')))
  await withEnoughTime(async limitMs => {
    await sendToPhone(notification, buildSettings(ntfy.url), { timeoutMs: limitMs })
    await Promise.all(closed)
    return closed.length > 0
  })
  ntfy.stop()
})

test('a missing server is reported by its error code', async () => {
  const ntfy = await startNtfyServer('ntfy')
  ntfy.stop()
  const result = await sendToPhone(notification, buildSettings(ntfy.url))
  assert.deepEqual(result, { ok: false, reason: 'the server cannot be reached (ECONNREFUSED)' })
})

test('fetch outside of a push is not changed', async () => {
  const ntfy = await startNtfyServer({ status: 302, location: '/followed' })
  await sendToPhone(notification, buildSettings(ntfy.url))
  const response = await fetch(`${ntfy.url}/x`, { method: 'POST', body: 'x' })
  ntfy.stop()
  assert.equal(response.redirected, true)
})

interface SendOptions {
  token?: string
  basePath?: string
  notification?: Notification
  sequenceId?: string
  timeoutMs?: number
}

/** Send one notification to a server that answers in this way. */
async function send(mode: ResponseMode, options: SendOptions = {}) {
  const { token = '', basePath = '', timeoutMs = HANG_MS, sequenceId } = options
  const ntfy = await startNtfyServer(mode)
  try {
    const settings = { ...buildSettings(ntfy.url + basePath), NTFY_TOKEN: token }
    const limits = { timeoutMs, ...(sequenceId === undefined ? {} : { sequenceId }) }
    return { result: await sendToPhone(options.notification ?? notification, settings, limits), got: ntfy.got }
  } finally {
    ntfy.stop()
  }
}

function buildSettings(server: string) {
  return { NTFY_SERVER: server, NTFY_TOPIC: testTopic, NTFY_TOKEN: '' }
}
