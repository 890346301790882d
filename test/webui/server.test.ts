import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { installFolder } from '#host/config'
import { readIfPresent } from '#host/fs'
import { findRunningServer, type ServeResult, startServer } from '#webui'
import { createWebHome } from '../fixtures/web-sessions.ts'

const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

test('the page opens on loopback at the port that is set, and leaves its address', async () => {
  const home = aHome()
  const port = await aPort()
  const served = await open(home, port)
  assert.deepEqual([served.kind, served.url, served.port], ['opened', `http://127.0.0.1:${port}`, port])
  const record = JSON.parse(fs.readFileSync(path.join(home, 'web.json'), 'utf8'))
  assert.deepEqual(record, { pid: process.pid, port, url: served.url })
  assert.equal(await findRunningServer(home), served.url)
})

test('a second start finds the first, also when another port is asked for', async () => {
  const home = aHome()
  const first = await open(home, await aPort())
  const running = { kind: 'running', url: first.url, port: first.port, pid: process.pid }
  assert.deepEqual(await open(home, first.port), running)
  assert.deepEqual(await open(home, await aPort()), running)
})

test('a second start finds the first without its record too', async () => {
  const home = aHome()
  const first = await open(home, await aPort())
  fs.rmSync(path.join(home, 'web.json'))
  assert.equal((await open(home, first.port)).kind, 'running')
})

test('ten starts at once end in one page', async () => {
  const home = aHome()
  const port = await aPort()
  const served = await Promise.all(Array.from({ length: 10 }, () => open(home, port)))
  assert.equal(served.filter(({ kind }) => kind === 'opened').length, 1)
  assert.ok(served.every(one => one.port === port))
})

for (const [what, answer] of [
  ['speaks HTTP', (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')],
  ['hangs up', (socket: net.Socket) => socket.destroy()],
  ['says nothing at all', () => undefined],
] as const) {
  test(`a port held by a stranger who ${what} is left alone, and the next is taken`, async () => {
    const stranger = net.createServer(answer)
    const port = await aPort()
    await new Promise<void>(resolve => stranger.listen(port, '127.0.0.1', resolve))
    undo.push(() => stranger.close())
    const served = await open(aHome(), port)
    assert.equal(served.kind, 'opened')
    assert.ok(served.port > port && served.port <= port + 20)
    assert.ok(stranger.listening)
  })
}

test('F53 bin/web says that the port is in use, and leaves the other program alone', async () => {
  const stranger = net.createServer()
  const port = await aPort()
  await new Promise<void>(resolve => stranger.listen(port, '127.0.0.1', resolve))
  undo.push(() => stranger.close())
  const opened = door(aHome(), port)
  const said = await opened.line
  assert.match(said, new RegExp(`^port ${port} is in use by another program`))
  assert.ok(stranger.listening)
})

test('F53 a port that the system keeps for root is refused with what to do, exit 2', {
  skip: noKeptPort(),
}, async () => {
  const unable = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-net_bind_service'] : []
  const refused = door(aHome(), 80, unable)
  assert.equal(await refused.ended, 2)
  assert.match(refused.errors(), /^web: this user may not listen on port 80\n.*WEBUI_PORT to 1024/)
})

test('F53 a port that was closed a moment ago, and still waits, is taken all the same', async () => {
  const port = await aPort()
  const before = net.createServer(socket => socket.end()) // The side that ends first is left waiting.
  await new Promise<void>(resolve => before.listen(port, '127.0.0.1', resolve))
  const client = net.connect(port, '127.0.0.1').resume()
  await new Promise(resolve => client.once('close', resolve))
  await new Promise(resolve => before.close(resolve))
  assert.equal((await open(aHome(), port)).port, port)
})

test('a page of another home is a stranger', async () => {
  const first = await open(aHome(), await aPort())
  const second = await open(aHome(), first.port)
  assert.equal(second.kind, 'opened')
  assert.notEqual(second.port, first.port)
})

test('a record that is stale, torn or of somebody else is no page', async () => {
  const home = aHome()
  const file = path.join(home, 'web.json')
  assert.equal(await findRunningServer(home), undefined)
  const impostor = http.createServer((_request, response) => response.end('{"name":"claude-dispatch","home":"/other"}'))
  await new Promise<void>(resolve => impostor.listen(0, '127.0.0.1', resolve))
  undo.push(() => impostor.close())
  const { port } = impostor.address() as AddressInfo
  const free = await aPort()
  for (const text of [
    '',
    '{"pid":1',
    '{}',
    `{"pid":1,"port":${free},"url":"http://127.0.0.1:${free}"}`,
    `{"pid":1,"port":${port},"url":"http://127.0.0.1:${port}"}`,
  ]) {
    fs.writeFileSync(file, text)
    assert.equal(await findRunningServer(home), undefined, text)
  }
})

test('closing takes the record along', async () => {
  const home = aHome()
  const served = await open(home, await aPort())
  assert.ok(served.kind === 'opened')
  await served.close()
  assert.equal(await findRunningServer(home), undefined)
  assert.ok(!fs.existsSync(path.join(home, 'web.json')))
})

test('F52 bin/processes/web.ts says where it is and stays until SIGTERM; a second one exits 5 and names the first', async () => {
  const home = aHome()
  const port = await aPort()
  const first = door(home, port)
  assert.equal(await first.line, `the page is at http://127.0.0.1:${port}`)
  const second = door(home, port)
  assert.equal(await second.ended, 5)
  assert.equal(
    second.errors(),
    `web: the page is at http://127.0.0.1:${port} already, served by process ${first.child.pid}\n`,
  )
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 143)
  assert.equal(await findRunningServer(home), undefined)
})

test('bin/processes/web.ts with port 0 says that the page is off', async () => {
  const off = door(aHome(), 0)
  assert.equal(await off.line, 'the page is off (WEBUI_PORT=0)')
  assert.equal(await off.ended, 0)
})

function aHome(): string {
  const { home, remove } = createWebHome()
  undo.push(remove)
  return home
}

/** A port that was free a moment ago, with room for 21 above it. */
async function aPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port > 65_000 ? aPort() : port
}

async function open(home: string, port: number): Promise<ServeResult> {
  const served = await startServer({ home, workspace: path.join(home, 'workspace'), installFolder, WEBUI_PORT: port })
  if (served.kind === 'opened') undo.push(() => served.close())
  return served
}

/** Where the system keeps no port for root, or cannot take that right away, there is nothing to show. */
function noKeptPort(): string | false {
  const first = Number(readIfPresent('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 0)
  return first > 80 ? false : 'this system keeps no port for root'
}

function door(
  home: string,
  port: number,
  through: string[] = [],
): { child: ChildProcess; line: Promise<string>; errors: () => string; ended: Promise<number | null> } {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, WEBUI_PORT: String(port) }
  const [program = '', ...words] = [...through, process.execPath, path.join(installFolder, 'bin/processes/web.ts')]
  const child = spawn(program, words, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  undo.push(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', chunk => (errors += chunk))
  const line = new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk).trim())))
  return { child, line, errors: () => errors, ended: new Promise(resolve => child.once('close', resolve)) }
}
