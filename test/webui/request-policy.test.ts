import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { HANG_MS } from '../fixtures/scratch.ts'
import { createTestSession, createWebHome, startApp } from '../fixtures/web-sessions.ts'

const { home, workspace, remove } = createWebHome()
const id = '2026-11-20-secret-0001'
let page: Awaited<ReturnType<typeof startApp>>

before(async () => {
  await createTestSession(workspace, id, { title: 'THE TASK' })
  page = await startApp(home)
})
after(() => {
  page.stop()
  remove()
})

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

test('every answer has the security headers and no CORS header', async () => {
  for (const [target, options] of [
    ['/', {}],
    [`/s/${id}`, {}],
    ['/nothing', {}],
    ['/healthz', {}],
    ['/style.css', {}],
    ['/%', {}],
    ['/', { method: 'POST' }],
    ['/', { headers: { host: 'evil.test' } }],
  ] as const) {
    const { headers } = await page.ask(target, options)
    assert.equal(headers['content-security-policy'], policy, target)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
    assert.ok(!Object.keys(headers).some(name => name.startsWith('access-control') || name === 'x-powered-by'))
  }
})

test('the three names of loopback are allowed with any port, as a tunnel has it', async () => {
  for (const name of ['127.0.0.1', 'localhost', '[::1]'])
    for (const port of [`:${page.port}`, ':8080', ''])
      assert.equal((await page.ask('/', { headers: { host: `${name}${port}` } })).status, 200, name + port)
})

test('a name of WEBUI_HOSTS is allowed, also behind TLS, and no name like it', async () => {
  const named = await startApp(home, undefined, ['desk.test'])
  const statuses = async (headers: Record<string, string>[]) =>
    Promise.all(headers.map(async each => (await named.ask('/', { headers: each })).status))
  const host = 'desk.test'
  const allowed = [{ host }, { host: 'desk.test:8443' }, { host, origin: 'https://desk.test' }, { host: 'localhost' }]
  assert.deepEqual(await statuses(allowed), [200, 200, 200, 200])
  const refused = [{ host: 'sub.desk.test' }, { host: 'desk.test.evil' }, { host, origin: 'https://evil.test' }]
  assert.deepEqual(await statuses(refused), [421, 421, 403])
  named.stop()
})

test('any other Host is 421', async () => {
  const names = ['evil.test', 'localhost.evil', 'localhost.', '127.0.0.1.nip.io', '0.0.0.0', '[::ffff:127.0.0.1]']
  const encodings = ['2130706433', '0x7f.1', '127.1', 'user@127.0.0.1', 'LOCALHOST', '[::1', '127.0.0.1,evil.test', '']
  const hosts = [...names, ...encodings].map(name => `${name}:${page.port}`)
  for (const host of [...hosts, 'localhost:', 'localhost:x', 'localhost:123456', `127.0.0.1:0${page.port}`]) {
    const { status, body } = await page.ask('/', { headers: { host } })
    assert.equal(status, 421, host)
    assert.ok(body.includes('http://localhost') && body.includes('WEBUI_HOSTS') && !body.includes('TASK'))
  }
})

test('two Hosts, no Host, or a full URL in the request line is refused', async () => {
  const validHost = `Host: 127.0.0.1:${page.port}\r\n`
  for (const [request, status] of [
    [`GET / HTTP/1.1\r\n${validHost}Host: evil.test\r\n`, 421],
    [`GET / HTTP/1.1\r\nHost: evil.test\r\n${validHost}`, 421],
    ['GET / HTTP/1.0\r\n', 421],
    ['GET / HTTP/1.1\r\n', 400],
    [`GET http://evil.test/ HTTP/1.1\r\n${validHost}`, 400],
    [`GET / HTTP/1.1\r\n${validHost}X: \0\r\n`, 400],
  ] as const) {
    const answer = await sendRaw(`${request}Connection: close\r\n\r\n`)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(request))
    assert.ok(!answer.includes('TASK'))
  }
})

test('an upgrade is refused', async () => {
  for (const protocol of ['websocket', 'h2c']) {
    const answer = await sendRaw(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`,
    )
    assert.ok(!answer.startsWith('HTTP/1.1 101'))
  }
})

test('a cross-site request is refused by Sec-Fetch-Site or Origin', async () => {
  const origin = `http://127.0.0.1:${page.port}`
  const refused: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none, cross-site' },
    { 'sec-fetch-site': '' },
    { origin: 'null' },
    { origin: 'http://evil.test' },
    { origin: `http://localhost:${page.port}` },
    { origin: origin.replace('http', 'https') },
  ]
  for (const headers of refused) {
    const { status, body } = await page.ask('/', { headers })
    assert.equal(status, 403, JSON.stringify(headers))
    assert.ok(!body.includes('TASK'))
  }
  const allowed: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { origin },
  ]
  for (const headers of allowed) assert.equal((await page.ask('/', { headers })).status, 200)
})

test('only GET and HEAD are allowed', async () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const { status, headers } = await page.ask(`/s/${id}`, { method })
    assert.equal(status, 405, method)
    assert.equal(headers['allow'], 'GET, HEAD')
  }
  const head = await page.ask('/', { method: 'HEAD' })
  assert.deepEqual([head.status, head.body], [200, ''])
})

test('no address reads a file outside of a session', async () => {
  const session = `/s/${id}`
  const targets = [
    `${session}/../../.env`,
    `${session}/..%2f..%2f.env`,
    `${session}/%2e%2e/%2e%2e/.env`,
    `${session}/..%5c..%5c.env`,
    `${session}/task.md%00.html`,
    `${session}/%2fetc%2fpasswd`,
    `${session}//etc/passwd`,
    `${session}/./task.md`,
    `${session}/TASK.MD`,
    `${session}/task.md.`,
    '/s/..%2f..%2fetc/task.md',
    '/s/%2e%2e/task.md',
    '/s/./task.md',
    `/s/${id}%2f/task.md`,
    `/s/${id}%00/task.md`,
    '/../../etc/passwd',
    '//etc/passwd',
    '/style.css/../../app.ts',
    '/public/style.css',
    '/s/__proto__',
    '/s/constructor/task.md',
    `${session}/__proto__`,
  ]
  for (const target of targets) {
    const { status, body } = await page.ask(target)
    assert.equal(status, 404, target)
    assert.ok(!/root:|THE TASK/.test(body), target)
  }
})

test('a malformed address is 400, without a stack trace', async () => {
  for (const target of ['/s/%', '/s/%ff', `/s/${id}/%c0%af`]) {
    const { status, body } = await page.ask(target)
    assert.equal(status, 400, target)
    assert.ok(!/node_modules|at \w/.test(body))
  }
})

function sendRaw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(page.port, '127.0.0.1', () => socket.write(request))
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      answer += chunk
    })
    socket.on('end', () => resolve(answer)).on('error', reject)
    socket.setTimeout(HANG_MS, () => reject(new Error(`the answer did not end:  ${JSON.stringify(request)}`)))
  })
}
