import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { buildWebhookBody, postToWebhook } from '#notify/channels/webhook.ts'

const click = 'https://desk.example/s/2026-11-20-x-a3f9'
const posted = {
  id: '2026-11-20-x-a3f9-7',
  sessionId: '2026-11-20-x-a3f9',
  notification: {
    title: 'Dispatch: PASS',
    body: '2026-11-20-x-a3f9 has passed <!channel> & more',
    priority: 3,
    tags: [],
    click,
  },
  text: 'has passed',
  at: '2026-11-20T10:00:00.000Z',
}

test('Slack gets text in which nothing calls anybody', () => {
  assert.deepEqual(buildWebhookBody('https://hooks.slack.com/services/T0/B0/x', posted), {
    text: `Dispatch: PASS\n2026-11-20-x-a3f9 has passed &lt;!channel&gt; &amp; more\n${click}`,
  })
})

test('Discord gets content that mentions nobody', () => {
  for (const host of ['discord.com', 'discordapp.com', 'canary.discord.com'])
    assert.deepEqual(buildWebhookBody(`https://${host}/api/webhooks/1/x`, posted), {
      content: `${posted.notification.title}\n${posted.notification.body}\n${click}`,
      allowed_mentions: { parse: [] },
    })
})

test('all others get every part by its name; a host that only ends like Discord is another', () => {
  const { id, sessionId, notification, at } = posted
  const { title, body, priority } = notification
  for (const address of ['http://127.0.0.1:1/x', 'https://notdiscord.com/x', 'https://hooks.slack.com.evil.example/x'])
    assert.deepEqual(buildWebhookBody(address, posted), {
      id,
      session: sessionId,
      title,
      body,
      text: 'has passed',
      priority,
      at,
      click,
    })
})

for (const [what, status, headers, expected] of [
  ['200', 200, {}, { ok: true, reason: '', status: 200 }],
  ['204', 204, {}, { ok: true, reason: '', status: 204 }],
  ['404', 404, {}, { ok: false, reason: 'HTTP 404', status: 404 }],
  ['429', 429, { 'retry-after': '7' }, { ok: false, reason: 'HTTP 429', status: 429, retryAfterMs: 7000 }],
  [
    'a redirect',
    307,
    { location: 'http://127.0.0.1:1/secret' },
    { ok: false, reason: 'HTTP 307: it sends us elsewhere', status: 307 },
  ],
] as const) {
  test(`${what} is told as it is, and nothing is followed`, async () => {
    const hook = await startHook((_, response) => void response.writeHead(status, headers).end())
    const delivery = await postToWebhook(posted, hook.url)
    hook.stop()
    assert.deepEqual(delivery, { channel: 'webhook', ...expected })
    assert.equal(hook.got.length, 1)
    assert.equal(hook.got[0]?.type, 'application/json')
    assert.equal(JSON.parse(hook.got[0]?.body ?? '').id, posted.id)
  })
}

test('silence, nobody there, and an address with a password in it: no word of the address', async () => {
  const hook = await startHook(() => undefined)
  const silent = await postToWebhook(posted, hook.url, 200)
  hook.stop()
  assert.deepEqual(silent, { channel: 'webhook', ok: false, reason: 'no answer in 0.2 s' })
  const gone = await postToWebhook(posted, hook.url)
  assert.equal(gone.reason, 'the server cannot be reached (ECONNREFUSED)')
  const odd = await postToWebhook(posted, hook.url.replace('http://', 'http://user:hunter2@'))
  assert.ok(!odd.ok && !odd.reason.includes('hunter2'))
})

async function startHook(answer: http.RequestListener) {
  const got: { type: string | undefined; body: string }[] = []
  const server = http.createServer(async (request, response) => {
    got.push({ type: request.headers['content-type'], body: await text(request) })
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/secret`
  return { url, got, stop: () => void server.close(() => undefined).closeAllConnections() }
}
