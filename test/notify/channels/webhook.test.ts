import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { buildWebhookBody, postToWebhook } from '#notify/channels/webhook.ts'

const click = 'https://desk.example/s/2026-11-20-x-a3f9'
const outgoing = {
  id: '2026-11-20-x-a3f9-7',
  sessionId: '2026-11-20-x-a3f9',
  notification: {
    title: 'Dispatch: PASS',
    body: '2026-11-20-x-a3f9 passed <!channel> & more',
    priority: 3,
    tags: [],
    click,
  },
  text: 'passed',
  at: '2026-11-20T10:00:00.000Z',
}

test('Slack gets text that mentions no channel', () => {
  assert.deepEqual(buildWebhookBody('https://hooks.slack.com/services/T0/B0/x', outgoing), {
    text: `Dispatch: PASS\n2026-11-20-x-a3f9 passed &lt;!channel&gt; &amp; more\n${click}`,
  })
})

test('Discord gets content without mentions', () => {
  for (const host of ['discord.com', 'discordapp.com', 'canary.discord.com'])
    assert.deepEqual(buildWebhookBody(`https://${host}/api/webhooks/1/x`, outgoing), {
      content: `${outgoing.notification.title}\n${outgoing.notification.body}\n${click}`,
      allowed_mentions: { parse: [] },
    })
})

test('any other host gets every part by name, also one that looks like Discord', () => {
  const { id, sessionId, notification, at } = outgoing
  const { title, body, priority } = notification
  for (const address of ['http://127.0.0.1:1/x', 'https://notdiscord.com/x', 'https://hooks.slack.com.evil.example/x'])
    assert.deepEqual(buildWebhookBody(address, outgoing), {
      id,
      session: sessionId,
      title,
      body,
      text: 'passed',
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
    { ok: false, reason: 'HTTP 307: the server redirects; set WEBHOOK_URL to the final address', status: 307 },
  ],
] as const) {
  test(`${what} is reported, and a redirect is not followed`, async () => {
    const webhook = await startWebhook((_, response) => void response.writeHead(status, headers).end())
    const result = await postToWebhook(outgoing, webhook.url)
    webhook.stop()
    assert.deepEqual(result, expected)
    assert.equal(webhook.got.length, 1)
    assert.equal(webhook.got[0]?.type, 'application/json')
    assert.equal(JSON.parse(webhook.got[0]?.body ?? '').id, outgoing.id)
  })
}

test('no failure contains the address or its password', async () => {
  const webhook = await startWebhook(() => undefined)
  const silent = await postToWebhook(outgoing, webhook.url, 200)
  webhook.stop()
  assert.deepEqual(silent, { ok: false, reason: 'no answer in 0.2 s' })
  const missing = await postToWebhook(outgoing, webhook.url)
  assert.equal(missing.reason, 'the server cannot be reached (ECONNREFUSED)')
  const withPassword = await postToWebhook(outgoing, webhook.url.replace('http://', 'http://user:hunter2@'))
  assert.ok(!withPassword.ok && !withPassword.reason.includes('hunter2'))
})

async function startWebhook(answer: http.RequestListener) {
  const got: { type: string | undefined; body: string }[] = []
  const server = http.createServer(async (request, response) => {
    got.push({ type: request.headers['content-type'], body: await text(request) })
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/secret`
  return { url, got, stop: () => void server.close(() => undefined).closeAllConnections() }
}
