import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type Credential, createFixedCredential } from '#host/model/credential.ts'
import { createRelay, type Upstream } from '#host/model/relay.ts'
import { openWaitingServer } from '#host/waiting-server.ts'
import { authorityFile, startVendor } from '../../fixtures/vendor/vendor.ts'

const plain: Omit<Upstream, 'address'> = { headers: {}, environment: {}, tls: {} }

interface Seen {
  method: string | undefined
  path: string | undefined
  headers: http.IncomingHttpHeaders
  body: string
}

/** A server that records what it gets, and answers with `status`. */
async function startModel(t: TestContext, answer: (seen: Seen, response: http.ServerResponse) => void) {
  const seen: Seen[] = []
  const server = http.createServer(async (request, response) => {
    const { method, url, headers } = request
    const record = { method, path: url, headers, body: await text(request) }
    seen.push(record)
    answer(record, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { seen, address: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) }
}

interface Relay {
  url: string
}

async function startTestRelay(t: TestContext, credential: Credential, upstream: Upstream): Promise<Relay> {
  const server = await openWaitingServer({ port: 0, host: '127.0.0.1' }, async () =>
    createRelay('placeholder-1', credential, upstream),
  )
  t.after(() => server.close())
  await server.serve()
  return { url: `http://127.0.0.1:${(server.address as AddressInfo).port}` }
}

const ask = (relay: Relay, path = '/v1/messages', headers: Record<string, string> = { 'x-api-key': 'placeholder-1' }) =>
  fetch(relay.url + path, { method: 'POST', headers, body: '{"model":"opus"}' })

/** The status for a path exactly as it is written, which `fetch` would change. */
function askRaw(relay: Relay, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(relay.url)
  const options = { hostname, port, path, method: 'POST', headers: { 'x-api-key': 'placeholder-1' } }
  return new Promise((resolve, reject) => {
    const request = http.request(options, answer => resolve(answer.resume().statusCode))
    request.on('error', reject)
    request.end('{}')
  })
}

test('the real credential replaces the placeholder, and everything else passes unchanged', async t => {
  const { seen, address } = await startModel(t, (_seen, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'r1' })
    response.write('data: 1\n\n')
    response.end('data: 2\n\n')
  })
  address.pathname = '/gateway/'
  const upstream = { ...plain, address, headers: { 'x-tenant': 'secret' } }
  const relay = await startTestRelay(t, createFixedCredential({ authorization: 'Bearer real' }), upstream)
  const answer = await ask(relay, '/v1/messages?beta=true', {
    authorization: 'Bearer placeholder-1',
    'anthropic-version': '2023-06-01',
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('request-id'), 'r1')
  assert.equal(await answer.text(), 'data: 1\n\ndata: 2\n\n')
  assert.equal(seen.length, 1)
  assert.equal(seen[0]?.path, '/gateway/v1/messages?beta=true')
  assert.equal(seen[0]?.body, '{"model":"opus"}')
  const { authorization, 'x-api-key': key, 'x-tenant': tenant, 'anthropic-version': version, host } = seen[0].headers
  assert.deepEqual(
    { authorization, key, tenant, version, host },
    { authorization: 'Bearer real', key: undefined, tenant: 'secret', version: '2023-06-01', host: address.host },
  )
})

test('only a holder of the placeholder is served, and only on the paths of the model', async t => {
  const { seen, address } = await startModel(t, (_seen, response) => response.end('{}'))
  const relay = await startTestRelay(t, createFixedCredential({ 'x-api-key': 'real' }), { ...plain, address })
  for (const headers of [{}, { 'x-api-key': 'real' }, { authorization: 'placeholder-1' }])
    assert.equal((await ask(relay, '/v1/messages', headers as Record<string, string>)).status, 401)
  const foreign = [
    '/',
    '/v1/organizations',
    '/api/oauth/profile',
    '/v1/messagesx',
    '/v1/oauth/token',
    '/v1/messages/../organizations',
    '/v1/messages/%2e%2e/organizations',
    '/v1/messages/.%2E/%2e./v1/organizations',
    '/v1/messages\\..\\organizations',
    'http://elsewhere.example/v1/organizations',
    '//v1/messages',
  ]
  for (const path of foreign) assert.equal(await askRaw(relay, path), 404, path)
  assert.deepEqual(seen, [])
  for (const path of ['/v1/messages', '/v1/messages/count_tokens?beta=true', '/v1/models/opus'])
    assert.equal((await ask(relay, path)).status, 200, path)
})

test('a refused credential is renewed once, and the agent sees only the answer', async t => {
  const { seen, address } = await startModel(t, ({ headers }, response) =>
    response.writeHead(headers['x-api-key'] === 'new' ? 200 : 401).end('{"answer":1}'),
  )
  let current = 'old'
  const credential: Credential = {
    read: async () => ({ 'x-api-key': current }),
    renew: async refused => {
      assert.deepEqual(refused, { 'x-api-key': 'old' })
      current = 'new'
      return true
    },
  }
  const relay = await startTestRelay(t, credential, { ...plain, address })
  const answer = await ask(relay)
  assert.deepEqual([answer.status, await answer.text()], [200, '{"answer":1}'])
  assert.deepEqual(
    seen.map(({ headers, body }) => [headers['x-api-key'], body]),
    [
      ['old', '{"model":"opus"}'],
      ['new', '{"model":"opus"}'],
    ],
  )
})

test('a credential that cannot be renewed gives the refusal of the model', async t => {
  const { seen, address } = await startModel(t, (_seen, response) => response.writeHead(401).end('{"why":"expired"}'))
  const relay = await startTestRelay(t, createFixedCredential({ 'x-api-key': 'old' }), { ...plain, address })
  const answer = await ask(relay)
  assert.deepEqual([answer.status, await answer.text(), seen.length], [401, '{"why":"expired"}', 1])
})

test('a credential that cannot be read is an error of the login, and nothing is sent', async t => {
  const { seen, address } = await startModel(t, (_seen, response) => response.end('{}'))
  const credential = { read: () => Promise.reject(new Error('no key today')), renew: async () => false }
  const answer = await ask(await startTestRelay(t, credential, { ...plain, address }))
  assert.equal(answer.status, 401)
  assert.match(await answer.text(), /no login for the model: no key today/)
  assert.deepEqual(seen, [])
})

test('a model that cannot be reached is an error of the API that names the host', async t => {
  const { address } = await startModel(t, () => undefined)
  address.port = '9'
  const relay = await startTestRelay(t, createFixedCredential({}), { ...plain, address })
  const answer = await ask(relay)
  assert.equal(answer.status, 502)
  assert.match(await answer.text(), /"message":"dispatch cannot reach the model at 127\.0\.0\.1:9: ECONNREFUSED/)
})

test('when the agent hangs up, the request to the model ends', async t => {
  let hungUp: Promise<unknown> | undefined
  const { address } = await startModel(t, (_seen, response) => {
    hungUp = new Promise(resolve => response.on('close', resolve))
    response.writeHead(200)
    response.write('data: 1\n\n')
  })
  const relay = await startTestRelay(t, createFixedCredential({}), { ...plain, address })
  const abort = new AbortController()
  const answer = await fetch(`${relay.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'placeholder-1' },
    body: '{}',
    signal: abort.signal,
  })
  await answer.body?.getReader().read()
  abort.abort()
  await hungUp
})

test('the relay goes through the proxy of the user, and trusts the certificates of the user', async t => {
  const { address: model } = await startModel(t, (_seen, response) => response.end('{"hello":1}'))
  const vendor = await startVendor(model.origin)
  t.after(() => vendor.close())
  const upstream = {
    address: new URL('https://api.anthropic.com'),
    headers: {},
    environment: { HTTPS_PROXY: vendor.proxyUrl },
    tls: { ca: [fs.readFileSync(authorityFile, 'utf8')] },
  }
  const credential = createFixedCredential({ authorization: `Bearer ${vendor.accessToken}` })
  const answer = await ask(await startTestRelay(t, credential, upstream))
  assert.deepEqual([answer.status, await answer.text()], [200, '{"hello":1}'])
  const distrusting = await ask(await startTestRelay(t, credential, { ...upstream, tls: {} }))
  assert.equal(distrusting.status, 502)
  assert.match(await distrusting.text(), /certificate/)
})
