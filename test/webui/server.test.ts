import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { installFolder } from '#host/config'
import { readIfPresent } from '#host/fs'
import { readCode } from '#host/installed-code'
import { acquireLease, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { findRunningServer, type ServeResult, startServer, stopRunningServer } from '#webui'
import { findFreePort } from '../fixtures/free-port.ts'
import { createWebHome } from '../fixtures/web-sessions.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

test('the page opens on the configured port, and records its address', async () => {
  const home = newHome()
  const port = await findFreePort()
  const served = await open(home, port)
  assert.deepEqual([served.kind, served.url, served.port], ['opened', `http://127.0.0.1:${port}`, port])
  const { code, ...record } = JSON.parse(fs.readFileSync(path.join(home, 'web.json'), 'utf8'))
  assert.deepEqual(code, readCode())
  assert.deepEqual(record, { pid: process.pid, port, url: served.url })
  assert.equal(await findRunningServer(home), served.url)
})

test('a second start finds the first, also with another port', async () => {
  const home = newHome()
  const first = await open(home, await findFreePort())
  const running = { kind: 'running', url: first.url, port: first.port, pid: process.pid }
  assert.deepEqual(await open(home, first.port), running)
  assert.deepEqual(await open(home, await findFreePort()), running)
})

test('a second start finds the first without its record', async () => {
  const home = newHome()
  const first = await open(home, await findFreePort())
  fs.rmSync(path.join(home, 'web.json'))
  assert.equal((await open(home, first.port)).kind, 'running')
})

test('ten simultaneous starts open one page', async () => {
  const home = newHome()
  const port = await findFreePort()
  const served = await Promise.all(Array.from({ length: 10 }, () => open(home, port)))
  assert.equal(served.filter(({ kind }) => kind === 'opened').length, 1)
  assert.ok(served.every(result => result.port === port))
})

test('a start waits while another process opens the page and does not answer yet', async () => {
  const home = newHome()
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(path.join(home, 'web'), self))
  assert.ok(lease)
  let isOpen = false
  const opening = open(home, await findFreePort()).finally(() => {
    isOpen = true
  })
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.equal(isOpen, false)
  releaseLease(path.join(home, 'web'), lease)
  assert.equal((await opening).kind, 'opened')
})

for (const [what, answer] of [
  ['speaks HTTP', (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')],
  ['hangs up', (socket: net.Socket) => socket.destroy()],
  ['does not answer', () => undefined],
] as const) {
  test(`if another program on the port ${what}, the next port is used`, async () => {
    const other = net.createServer(answer)
    const port = await findFreePort()
    await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve))
    cleanups.push(() => other.close())
    const served = await open(newHome(), port)
    assert.equal(served.kind, 'opened')
    assert.ok(served.port > port && served.port <= port + 20)
    assert.ok(other.listening)
  })
}

test('web.ts reports that another program uses the port', async () => {
  const other = net.createServer()
  const port = await findFreePort()
  await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => other.close())
  const started = runWeb(newHome(), port)
  assert.match(await started.line, new RegExp(`^port ${port} is in use by another program`))
  assert.ok(other.listening)
})

test('a port that needs root is refused with exit 2', {
  skip: whyNoReservedPort(),
}, async () => {
  const dropRights = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-net_bind_service'] : []
  const refused = runWeb(newHome(), 80, dropRights)
  assert.equal(await refused.ended, 2)
  assert.match(refused.errors(), /this user may not listen on port 80\n.*WEBUI_PORT to 1024/)
})

test('a port that was closed a moment ago is used', async () => {
  const port = await findFreePort()
  const before = net.createServer(socket => socket.end()) // The side that ends first stays in TIME_WAIT.
  await new Promise<void>(resolve => before.listen(port, '127.0.0.1', resolve))
  const client = net.connect(port, '127.0.0.1').resume()
  await new Promise(resolve => client.once('close', resolve))
  await new Promise(resolve => before.close(resolve))
  assert.equal((await open(newHome(), port)).port, port)
})

test('the page of another home counts as another program', async () => {
  const first = await open(newHome(), await findFreePort())
  const second = await open(newHome(), first.port)
  assert.equal(second.kind, 'opened')
  assert.notEqual(second.port, first.port)
})

test('a stale, torn or foreign record is not a running page', async () => {
  const home = newHome()
  const file = path.join(home, 'web.json')
  assert.equal(await findRunningServer(home), undefined)
  const impostor = http.createServer((_request, response) => response.end('{"name":"claude-dispatch","home":"/other"}'))
  await new Promise<void>(resolve => impostor.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => impostor.close())
  const { port } = impostor.address() as AddressInfo
  const freePort = await findFreePort()
  for (const text of [
    '',
    '{"pid":1',
    '{}',
    `{"pid":1,"port":${freePort},"url":"http://127.0.0.1:${freePort}"}`,
    `{"pid":1,"port":${port},"url":"http://127.0.0.1:${port}"}`,
  ]) {
    fs.writeFileSync(file, text)
    assert.equal(await findRunningServer(home), undefined, text)
  }
})

test('a page that does not answer is ended as well', async () => {
  const home = newHome()
  const port = await findFreePort()
  const hanging = runWeb(home, port)
  await hanging.line
  hanging.child.kill('SIGSTOP')
  const ending = stopRunningServer(home)
  assert.equal(await hanging.ended, null)
  await ending
  assert.equal((await open(home, port)).port, port)
})

test('closing deletes the record', async () => {
  const home = newHome()
  const served = await open(home, await findFreePort())
  assert.ok(served.kind === 'opened')
  await served.close()
  assert.equal(await findRunningServer(home), undefined)
  assert.ok(!fs.existsSync(path.join(home, 'web.json')))
})

test('a second web.ts exits 5 while the first one runs', async () => {
  const home = newHome()
  const port = await findFreePort()
  const first = runWeb(home, port)
  assert.equal(await first.line, `the page is at http://127.0.0.1:${port}`)
  const second = runWeb(home, port)
  assert.equal(await second.ended, 5)
  assert.ok(second.errors().includes(`http://127.0.0.1:${port}, served by process ${first.child.pid}\n`))
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 143)
  assert.equal(await findRunningServer(home), undefined)
})

test('web.ts with port 0 reports that the page is off', async () => {
  const off = runWeb(newHome(), 0)
  assert.equal(await off.line, 'the page is off (WEBUI_PORT=0)')
  assert.equal(await off.ended, 0)
})

function newHome(): string {
  const { home, remove } = createWebHome()
  cleanups.push(remove)
  return home
}

async function open(home: string, port: number): Promise<ServeResult> {
  const served = await startServer({
    home,
    workspace: path.join(home, 'workspace'),
    installFolder,
    WEBUI_PORT: port,
    WEBUI_HOSTS: '',
  })
  if (served.kind === 'opened') cleanups.push(() => served.close())
  return served
}

/** Some systems reserve no port for root. */
function whyNoReservedPort(): string | false {
  const first = Number(readIfPresent('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 0)
  return first > 80 ? false : 'here every user may use port 80: `sysctl net.ipv4.ip_unprivileged_port_start=1024`'
}

/** Run `bin/processes/web.ts`, perhaps through another program. `line` is its first line of output. */
function runWeb(
  home: string,
  port: number,
  launcher: string[] = [],
): { child: ChildProcess; line: Promise<string>; errors: () => string; ended: Promise<number | null> } {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, WEBUI_PORT: String(port) }
  const [program = '', ...args] = [...launcher, process.execPath, path.join(installFolder, 'bin/processes/web.ts')]
  const child = spawn(program, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanups.push(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', chunk => (errors += chunk))
  const line = new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk).trim())))
  return { child, line, errors: () => errors, ended: new Promise(resolve => child.once('close', resolve)) }
}
