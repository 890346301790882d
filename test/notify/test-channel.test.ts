import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, test } from 'node:test'
import { testChannels } from '#notify'
import { buildConfig, buildPhoneSettings, createHome, testToken, testTopic } from '../fixtures/notify-home.ts'
import { type ResponseMode, startNtfyServer } from '../fixtures/ntfy-server.ts'

const home = createHome()
after(() => fs.rmSync(home, { recursive: true }))
const notification = {
  title: 'Dispatch: a test',
  body: 'If you can read it, this channel works.',
  priority: 3,
  tags: ['wave'],
}

test('phone: the server accepted and stores it; the subscription is unverified', async () => {
  const { tests, got, host } = await testPhone('ntfy')
  assert.deepEqual(tests, [
    {
      channel: 'phone',
      ok: true,
      reason: '',
      verified: [`${host} accepted it`, `${host} stores it under your topic (fetched back)`],
      unverified: ['that a phone subscribes to the topic: only you can see that'],
    },
  ])
  assert.equal(got[0]?.headers['authorization'], `Basic ${Buffer.from(`:${testToken}`).toString('base64')}`)
})

test('phone: a server that stores nothing still accepted it', async () => {
  const { tests, host } = await testPhone('ntfy', kept => kept.splice(0))
  assert.equal(tests[0]?.ok, true)
  assert.deepEqual(tests[0]?.verified, [`${host} accepted it`])
  assert.equal(tests[0]?.unverified[0], `that ${host} stores it (it could not be fetched back)`)
})

test('a refusal verifies nothing and does not contain the topic', async () => {
  const { tests } = await testPhone({ status: 403 })
  assert.deepEqual(tests, [
    { channel: 'phone', ok: false, reason: 'HTTP 403: Forbidden', verified: [], unverified: [] },
  ])
})

test('every enabled channel is tested, and the outbox stays empty', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const searchPath = process.env['PATH']
  process.env['PATH'] = '/nonexistent'
  const config = buildConfig(home, { WEBHOOK_URL: `${ntfy.url}/hook`, DESKTOP: 'on' })
  const [desktop, webhook] = await testChannels(notification, config)
  process.env['PATH'] = searchPath
  ntfy.stop()
  assert.equal(desktop?.channel, 'desktop')
  assert.deepEqual(webhook?.verified, ['the address accepted it (HTTP 200)'])
  assert.equal(webhook?.unverified.length, 1)
  assert.deepEqual(fs.readdirSync(home), [])
})

test('it uses the same proxy as the deliverer', async () => {
  const proxy = await startNtfyServer('ntfy')
  proxy.server.on('connect', (_, socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    proxy.server.emit('connection', socket)
  })
  process.env['http_proxy'] = proxy.url
  const [phone] = await testChannels(notification, buildConfig(home, buildPhoneSettings('http://ntfy.invalid')))
  delete process.env['http_proxy']
  proxy.stop()
  assert.equal(phone?.ok, true, phone?.reason)
  assert.equal(proxy.got[0]?.path, `/${testTopic}`)
})

test('without a channel there is no result', async () =>
  assert.deepEqual(await testChannels(notification, buildConfig(home)), []))

async function testPhone(mode: ResponseMode, forget?: (kept: unknown[]) => void) {
  const ntfy = await startNtfyServer(published => {
    if (forget) setImmediate(() => forget(ntfy.kept))
    assert.equal(published.path, `/${testTopic}`)
    return mode
  })
  const config = buildConfig(home, { ...buildPhoneSettings(ntfy.url), NTFY_TOKEN: testToken })
  const tests = await testChannels(notification, config)
  ntfy.stop()
  return { tests, got: ntfy.got, host: new URL(ntfy.url).host }
}
