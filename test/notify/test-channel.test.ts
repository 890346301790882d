import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, test } from 'node:test'
import { testChannels } from '#notify'
import { buildConfig, buildPhoneSettings, createHome, testToken, testTopic } from '../fixtures/notify-home.ts'
import { type ResponseMode, startNtfyServer } from '../fixtures/ntfy-server.ts'

const home = createHome()
after(() => fs.rmSync(home, { recursive: true }))
const notice = {
  title: 'Dispatch: a test',
  body: 'If you can read it, this channel works.',
  priority: 3,
  tags: ['wave'],
}

test('phone: the server took it and keeps it under the topic; that a phone listens is not shown', async () => {
  const { proofs, got, host } = await proofsOf('ntfy')
  assert.deepEqual(proofs, [
    {
      channel: 'phone',
      ok: true,
      reason: '',
      verified: [`${host} took it`, `${host} keeps it under your topic: fetched back from there`],
      unverified: ['that a phone subscribes to the topic: only you can see whether it shows'],
    },
  ])
  assert.equal(got[0]?.headers['authorization'], `Basic ${Buffer.from(`:${testToken}`).toString('base64')}`)
})

test('phone: a server that keeps nothing took it all the same, and that is said', async () => {
  const { proofs, host } = await proofsOf('ntfy', kept => kept.splice(0))
  assert.equal(proofs[0]?.ok, true)
  assert.deepEqual(proofs[0]?.verified, [`${host} took it`])
  assert.equal(proofs[0]?.unverified[0], `that ${host} keeps it: it could not be fetched back`)
})

test('a refusal is told, proves nothing, and does not hold the topic', async () => {
  const { proofs } = await proofsOf({ status: 403 })
  assert.deepEqual(proofs, [{ channel: 'phone', ok: false, reason: 'HTTP 403: Forbidden', verified: [], unverified: [] }])
})

test('webhook and desktop are tried beside it, and what is past the outbox leaves nothing there', async () => {
  const ntfy = await startNtfyServer('ntfy')
  const searchPath = process.env['PATH']
  process.env['PATH'] = '/nonexistent'
  const config = buildConfig(home, { WEBHOOK_URL: `${ntfy.url}/hook`, DESKTOP: 'on' })
  const proofs = await testChannels(notice, config)
  process.env['PATH'] = searchPath
  ntfy.stop()
  const [desktop, webhook] = proofs
  assert.equal(desktop?.channel, 'desktop')
  if (process.platform === 'linux') assert.match(desktop?.reason ?? '', /^notify-send is not installed/)
  assert.deepEqual(webhook?.verified, ['the address took it (HTTP 200)'])
  assert.deepEqual(webhook?.unverified, ['that somebody reads what arrives there'])
  assert.deepEqual(fs.readdirSync(home), [])
})

test('it goes through the proxy that the deliverer would take', async () => {
  const proxy = await startNtfyServer('ntfy')
  proxy.server.on('connect', (_, socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    proxy.server.emit('connection', socket)
  })
  process.env['http_proxy'] = proxy.url
  const [phone] = await testChannels(notice, buildConfig(home, buildPhoneSettings('http://ntfy.invalid')))
  delete process.env['http_proxy']
  proxy.stop()
  assert.equal(phone?.ok, true, phone?.reason)
  assert.equal(proxy.got[0]?.path, `/${testTopic}`)
})

test('with no channel set there is nothing to prove', async () =>
  assert.deepEqual(await testChannels(notice, buildConfig(home)), []))

async function proofsOf(manner: ResponseMode, forget?: (kept: unknown[]) => void) {
  const ntfy = await startNtfyServer(published => {
    if (forget) setImmediate(() => forget(ntfy.kept))
    assert.equal(published.path, `/${testTopic}`)
    return manner
  })
  const proofs = await testChannels(
    notice,
    buildConfig(home, { ...buildPhoneSettings(ntfy.url), NTFY_TOKEN: testToken }),
  )
  ntfy.stop()
  return { proofs, got: ntfy.got, host: new URL(ntfy.url).host }
}
