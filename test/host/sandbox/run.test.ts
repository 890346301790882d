/** Running a command in the sandbox. Attempts to escape are in escapes.test.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { buildPolicy } from '#host/sandbox'
import { buildInnerScript, buildRuntimeConfig } from '#host/sandbox/command-line.ts'
import { parseRefusedHost } from '#host/sandbox/open-seatbelt.ts'
import type { SandboxRole } from '#host/sandbox/policy.ts'
import { createTestSandbox, launcher } from '../../fixtures/host/test-sandbox.ts'
import { HANG_MS } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap, whyNoProgram } from '../../fixtures/skip-reasons.ts'

const input = {
  folder: '/s/outputs',
  tempFolder: '/s/scratch',
  outputs: '/s/outputs',
  allowedHosts: ['h:1'],
  files: ['docs/**', 'docs/a/*.md'],
}

test('a writable path below a readable one is mounted on top of it', () => {
  const policy = {
    ...buildPolicy('orchestrator', { ...input, readablePaths: ['/s'], writablePaths: ['/s/orchestrator'] }),
    tempFolder: '/s/scratch',
  }
  const { filesystem } = buildRuntimeConfig(policy, { denied: ['/'], allowed: ['/usr'] }, '/tmp/sockets')
  assert.deepEqual(filesystem.denyRead, ['/', '/s/orchestrator', '/s/scratch'])
  assert.deepEqual(filesystem.allowWrite, ['/s/orchestrator', '/s/scratch'])
})

test('on macOS a check may listen on loopback, an orchestrator may not', () => {
  const readable = { denied: [], allowed: [] }
  const allowsBinding = (role: SandboxRole) =>
    buildRuntimeConfig(buildPolicy(role, input), readable, '/tmp/sockets', 'darwin').network.allowLocalBinding
  assert.deepEqual([allowsBinding('check'), allowsBinding('orchestrator')], [true, false])
})

test('the command reaches the inner shell word for word', () => {
  const script = buildInnerScript(buildPolicy('check', input), ['echo', "it's", '$(id)', 'a b'])
  assert.ok(
    script.endsWith(`exec 'echo' 'it'\\''s' '$(id)' 'a b'`) || script.endsWith(`exec echo 'it'\\''s' '$(id)' 'a b'`),
    script,
  )
})

test('the environment is built from empty; of the sandbox it has only the proxy', {
  skip: whyNoBubblewrap,
}, async t => {
  const { sh, folder } = createTestSandbox(t)
  const namesIn = (output: string) => [...output.matchAll(/^([A-Za-z_]+)=/gm)].map(([, name = '']) => name).sort()
  const result = await sh('env')
  assert.deepEqual(namesIn(result.stdout), ['HOME', 'PATH', 'PWD', 'TMPDIR'])
  assert.match(result.stdout, new RegExp(`^TMPDIR=${folder}/scratch$`, 'm'))
  const proxyVariables = [
    'ALL_PROXY',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NODE_USE_ENV_PROXY',
    'NO_PROXY',
    'all_proxy',
    'http_proxy',
    'https_proxy',
    'no_proxy',
  ]
  const withNetwork = await sh('env', { allowedHosts: ['example.com:443'] })
  assert.deepEqual(
    namesIn(withNetwork.stdout).filter(name => !['HOME', 'PATH', 'PWD', 'TMPDIR'].includes(name)),
    proxyVariables,
  )
})

test('the exit code is the command’s, and the result says that it started', { skip: whyNoBubblewrap }, async t => {
  const { sh, readResult } = createTestSandbox(t)
  assert.equal((await sh('exit 11')).exitCode, 11)
  const { milliseconds, ...recorded } = readResult()
  assert.deepEqual(recorded, { hasStarted: true, exitCode: 11, signal: null, reason: '' })
  assert.ok(Number.isInteger(milliseconds))
  assert.equal((await sh('kill -9 $$')).exitCode, 137)
  const result = await sh('true', { folder: '/nowhere' })
  assert.equal(result.exitCode, 126)
})

test('a sandbox that does not start is exit 11, and nothing has run', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder, readResult } = createTestSandbox(t)
  const fakeBin = path.join(folder, 'fake-bin')
  fs.mkdirSync(fakeBin)
  fs.writeFileSync(path.join(fakeBin, 'bwrap'), '#!/bin/sh\necho "bwrap: no" >&2\nexit 1\n', { mode: 0o755 })
  const result = await sh('touch ran', {}, `${fakeBin}:/usr/bin:/bin`)
  assert.equal(result.exitCode, exitCodes.sandbox)
  assert.equal(readResult().hasStarted, false)
  assert.ok(!fs.existsSync(path.join(folder, 'out/ran')))
})

test('a program that an agent put on PATH never runs outside', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder } = createTestSandbox(t)
  const tools = path.join(folder, 'out/node_modules/.bin')
  fs.mkdirSync(tools, { recursive: true })
  const marker = path.join(folder, 'home/was-here')
  for (const name of ['bwrap', 'socat', 'true', 'sh', 'bash', 'which', 'rg', 'npm', 'node', 'env'])
    fs.writeFileSync(path.join(tools, name), `#!/bin/sh\ntouch '${marker}'\nexit 1\n`, { mode: 0o755 })
  const systemPath = '/usr/local/bin:/usr/bin:/bin'
  const docs = { writablePaths: [path.join(folder, 'out/docs')] } // As for an rw worker.
  const policies = [
    { allowedHosts: [] },
    { allowedHosts: ['example.com:443'] },
    docs,
    { ...docs, toolFolders: [tools] },
  ]
  for (const policy of policies)
    for (const search of [systemPath, `${tools}:${systemPath}`]) {
      const isOnPath = search !== systemPath || 'toolFolders' in policy
      const result = await sh(`case $PATH in '${tools}'*) exit 3 ;; esac; exit 4`, policy, search)
      assert.equal(result.exitCode, isOnPath ? 3 : 4, result.stderr)
    }
  assert.ok(!fs.existsSync(marker))
})

test('the sandbox never searches with ripgrep, so a missing one costs no time', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder } = createTestSandbox(t)
  const tools = path.join(folder, 'home/tools')
  fs.mkdirSync(tools, { recursive: true })
  const marker = path.join(folder, 'home/searched')
  fs.writeFileSync(path.join(tools, 'rg'), `#!/bin/sh\ntouch '${marker}'\n`, { mode: 0o755 })
  for (const allowedHosts of [[], ['example.com:443']]) {
    const result = await sh('true', { allowedHosts }, `${tools}:/usr/local/bin:/usr/bin:/bin`)
    assert.equal(result.exitCode, 0, result.stderr)
  }
  assert.ok(!fs.existsSync(marker))
})

test('a writable path with letters of a pattern is that path alone', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder } = createTestSandbox(t)
  const [named = '', matched = ''] = ['out/[id]*', 'out/id'].map(name => path.join(folder, name))
  for (const made of [named, matched]) fs.mkdirSync(made)
  const result = await sh(`touch '${named}/yes'; touch '${matched}/no'`, { writablePaths: [named] })
  assert.notEqual(result.exitCode, 0)
  assert.deepEqual([fs.readdirSync(named), fs.readdirSync(matched)], [['yes'], []])
})

test('a writable path that an agent turned into a link is exit 13', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder } = createTestSandbox(t)
  fs.symlinkSync(path.join(folder, 'home'), path.join(folder, 'out/docs'))
  fs.symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'out/gone'))
  for (const name of ['docs', 'docs/deep', 'gone']) {
    const result = await sh('true', { writablePaths: [path.join(folder, 'out', name)] })
    assert.equal(result.exitCode, exitCodes.integrity, name)
  }
})

test('the tests of a project work inside: sockets, forks, git, FIFOs', {
  skip: whyNoBubblewrap || whyNoProgram('python3'),
}, async t => {
  const { sh, folder } = createTestSandbox(t)
  fs.writeFileSync(
    path.join(folder, 'out/t.mjs'),
    `import { fork } from 'node:child_process'
import http from 'node:http'
if (process.send) { process.send('ipc'); process.disconnect() } else {
  fork(import.meta.filename).on('message', m => console.log(m))
  const server = http.createServer((_, r) => r.end('served')).listen(0, '127.0.0.1', async () => {
    console.log(await (await fetch('http://127.0.0.1:' + server.address().port)).text())
    server.close()
  })
}`,
  )
  const python = `python3 -c 'import multiprocessing as m, tempfile; print(m.Pool(2).map(abs, [-1, -2]), tempfile.mkdtemp())'`
  const git =
    'git init -q r && cd r && echo a >a && git add a && git -c user.name=a -c user.email=a@b commit -qm a && git log --oneline | wc -l'
  const result = await sh(
    `node t.mjs; ${python}; ${git}; cat /proc/self/status | head -1; mkfifo f && (echo fifo >f & cat f)`,
  )
  for (const text of ['ipc', 'served', '[1, 2]', path.join(folder, 'scratch'), 'Name:', 'fifo'])
    assert.ok(result.stdout.includes(text), `${text} in:\n${result.stdout}\n${result.stderr}`)
})

for (const role of ['code', 'rw', 'setup', 'check'] as const)
  test(`Unix sockets work inside for the role ${role}, also below a long TMPDIR`, {
    skip: whyNoBubblewrap || whyNoProgram('python3'),
  }, async t => {
    const { sh, folder } = createTestSandbox(t)
    const tempFolder = path.join(folder, 'scratch', 'x'.repeat(120))
    const script = [
      'import os, socket, tempfile, threading',
      'addresses = ["a.sock", os.path.join(tempfile.gettempdir(), "b.sock"), "\\0abstract"]',
      'for address in addresses:',
      '  server = socket.socket(socket.AF_UNIX)',
      '  server.bind(address)',
      '  server.listen()',
      '  client = socket.socket(socket.AF_UNIX)',
      '  client.connect(address)',
      '  server.accept()[0].sendall(b"heard")',
      '  print(client.recv(5).decode())',
    ]
    const result = await sh(
      `python3 -c '${script.join('\n')}'; tmux -L t new-session -d 'sleep 60' && tmux -L t ls; env -u TMPDIR node -e "
const server = require('net').createServer(s => s.end('served')).listen('/tmp/n.sock', () => {
  require('net').connect('/tmp/n.sock').on('data', d => { console.log(String(d)); server.close() })
})"`,
      { role, tempFolder },
    )
    assert.match(result.stdout, /^heard\nheard\nheard\n0: 1 windows.*\nserved\n$/s, result.stderr)
    assert.equal(fs.existsSync(path.join(tempFolder, 'b.sock')), true)
  })

test('a TMPDIR of any length works', { skip: whyNoBubblewrap }, async t => {
  const { writePolicy, folder } = createTestSandbox(t)
  const [node = '', ...args] = [
    ...launcher,
    writePolicy({ allowedHosts: ['example.com:443'] }),
    '--',
    '/bin/sh',
    '-c',
    'echo here',
  ]
  for (const length of [53, 54, 59, 60, 150]) {
    const temp = path.join('/tmp', `dsp-test-${process.pid}-`.padEnd(length - 5, 'x'))
    fs.mkdirSync(temp)
    t.after(() => fs.rmSync(temp, { recursive: true, force: true }))
    const env = { PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, HOME: folder, TMPDIR: temp }
    const result = await runProgram(node, args, { env, cwd: folder, timeoutMs: HANG_MS })
    assert.equal(result.stdout, 'here\n', `${temp.length} bytes: ${result.stderr}`)
  }
})

test('an allowed host can be reached on its port only', { skip: whyNoBubblewrap || whyNoProgram('curl') }, async t => {
  const { sh } = createTestSandbox(t)
  const server = http.createServer((_, response) => response.end('model')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const allowedHosts = [`127.0.0.1:${port}`]
  assert.equal((await sh(`curl -sS http://127.0.0.1:${port}/`, { allowedHosts })).stdout, 'model')
  assert.match(
    (await sh(`curl -sS http://127.0.0.1:${port}/`, { allowedHosts: [`127.0.0.1:${port + 1}`] })).stdout,
    /blocked/,
  )
})

test('the result names the hosts that a setup was refused, also if it may reach none', {
  skip: whyNoBubblewrap || whyNoProgram('curl'),
}, async t => {
  const { sh, readResult } = createTestSandbox(t)
  for (const allowedHosts of [[], ['packages.example:443']]) {
    const result = await sh("curl -sS https://downloads.example/a; curl -sS --noproxy '' http://127.0.0.1:9/; true", {
      role: 'setup',
      allowedHosts,
    })
    assert.equal(result.exitCode, 0, result.stderr)
    assert.deepEqual(readResult().refusedHosts, ['downloads.example:443', '127.0.0.1:9'])
  }
})

test('a login beside a tool is read only by a setup that may', { skip: whyNoBubblewrap }, async t => {
  const { sh, folder } = createTestSandbox(t)
  const file = path.join(folder, 'home/.cargo/credentials.toml')
  fs.mkdirSync(path.join(folder, 'home/.cargo/bin'), { recursive: true })
  fs.writeFileSync(file, 'token = "the-login"\n')
  const searchPath = `${path.join(folder, 'home/.cargo/bin')}:${path.dirname(process.execPath)}:/usr/bin:/bin`
  const read = async (role: SandboxRole, readablePaths: string[]) =>
    (await sh(`cat '${file}'`, { role, readablePaths, variables: { HOME: path.join(folder, 'out') } }, searchPath))
      .stdout
  assert.equal(await read('check', []), '')
  assert.equal(await read('setup', []), '')
  assert.equal(await read('setup', [file]), 'token = "the-login"\n')
})

test('a socket in a folder that a policy makes readable is hidden too', { skip: whyNoBubblewrap }, async t => {
  const { sh } = createTestSandbox(t)
  const toolchain = fs.mkdtempSync(path.join(os.tmpdir(), 'toolchain-'))
  t.after(() => fs.rmSync(toolchain, { recursive: true }))
  const server = net.createServer().listen(path.join(toolchain, 's'))
  t.after(() => server.close())
  await once(server, 'listening')
  fs.writeFileSync(path.join(toolchain, 'file'), '')
  const script = `cd '${toolchain}'; [ -f file ] && [ ! -S s ] && echo hidden`
  const { stdout } = await sh(script, { readablePaths: [toolchain] })
  assert.equal(stdout, 'hidden\n')
})

test('a refusal is read from the record of the library', () => {
  assert.equal(parseRefusedHost('deny network-outbound a.example:443 (host is not on the allow list)'), 'a.example:443')
  assert.equal(parseRefusedHost('deny http-request GET http://a.example:80/x?… (refused)'), 'a.example:80')
  assert.equal(parseRefusedHost('deny file-write /x'), undefined)
})
