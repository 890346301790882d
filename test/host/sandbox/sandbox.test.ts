/** What a role may do, what this machine has, and how a life inside is. The ways out are in escapes.test.ts. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { installFolder } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { readJson } from '#host/fs'
import { buildPolicy, detectSandbox, listModelHosts, parseHost, type SandboxPolicy, SandboxResult } from '#host/sandbox'
import { describeBubblewrapError, describeMissingPrograms } from '#host/sandbox/detect.ts'
import { listClaudePaths, listWritableRoots, type SandboxRole } from '#host/sandbox/policy.ts'
import { listReadablePaths, listToolFolders } from '#host/sandbox/readable-paths.ts'
import { buildInnerScript, buildRuntimeConfig } from '#host/sandbox/run.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const here = await detectSandbox()
const skip = 'kind' in here && here.kind === 'bubblewrap' ? false : 'no bubblewrap that works here'
const door = [process.execPath, path.join(installFolder, 'bin/processes/sandbox.ts')]

// --- what a role may do ---

const needs = {
  folder: '/s/outputs',
  tempFolder: '/s/scratch',
  outputs: '/s/outputs',
  allowedHosts: ['h:1'],
  files: ['docs/**', 'docs/a/*.md'],
}

const rights: [SandboxRole, Pick<SandboxPolicy, 'writablePaths' | 'protectedPaths' | 'allowedHosts'>][] = [
  ['orchestrator', { writablePaths: [], protectedPaths: [], allowedHosts: ['h:1'] }],
  [
    'code',
    {
      writablePaths: ['/s/outputs'],
      protectedPaths: ['/s/outputs/.git/config', '/s/outputs/.git/hooks'],
      allowedHosts: ['h:1'],
    },
  ],
  ['rw', { writablePaths: ['/s/outputs/docs'], protectedPaths: ['/s/outputs/.git'], allowedHosts: ['h:1'] }],
  [
    'commit',
    {
      writablePaths: ['/s/outputs'],
      protectedPaths: ['/s/outputs/.git/config', '/s/outputs/.git/hooks'],
      allowedHosts: [],
    },
  ],
  ['setup', { writablePaths: [], protectedPaths: [], allowedHosts: ['h:1'] }],
  ['check', { writablePaths: [], protectedPaths: [], allowedHosts: [] }],
]

for (const [role, expected] of rights) {
  test(`the rights of a ${role}`, () => {
    const { writablePaths, protectedPaths, allowedHosts } = buildPolicy(role, needs)
    assert.deepEqual({ writablePaths, protectedPaths, allowedHosts }, expected)
  })
}

test('an rw worker writes below the fixed part of its globs, and nowhere above the repository', () => {
  assert.deepEqual(listWritableRoots('/o', ['docs/**', 'docs/a/b.md', 'src/*/x']), ['/o/docs', '/o/src'])
  assert.deepEqual(listWritableRoots('/o', ['README.md', 'docs/**']), ['/o'])
  assert.deepEqual(listWritableRoots('/o', ['../x/**']), ['/o'])
})

test('a private login is all its own; of yours only what claude must write is opened', t => {
  const folder = createScratchFolder(t)
  for (const name of ['projects', 'plugins', 'sessions', 'shell-snapshots']) fs.mkdirSync(path.join(folder, name))
  const login = { configDirectory: folder, configFile: path.join(folder, '.claude.json') }
  assert.deepEqual(listClaudePaths({ kind: 'key', ...login }, '/o/my desk'), { read: [], write: [folder] })
  const own = listClaudePaths({ kind: 'own', ...login }, '/o/my desk')
  const write = ['projects/-o-my-desk', 'sessions'].map(name => path.join(folder, name))
  assert.deepEqual(own, { read: [folder, login.configFile], write })
})

test('whom an agent calls to think', () => {
  assert.deepEqual(listModelHosts({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080/v1' }), ['127.0.0.1:8080'])
  assert.deepEqual(listModelHosts({ ANTHROPIC_BASE_URL: 'https://gateway.example' }), ['gateway.example:443'])
  assert.ok(listModelHosts({}).includes('api.anthropic.com:443'))
  assert.ok(listModelHosts({ CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'eu-west-1' })[0]?.includes('eu-west-1'))
})

test('a host as people name it', () => {
  for (const [text, read] of [
    ['example.com', 'example.com:443'],
    ['example.com:80', 'example.com:80'],
    ['*.example.com', '*.example.com:443'],
    ['[::1]:80', '[::1]:80'],
    ['*', undefined],
    ['https://example.com', undefined],
    ['example.com/x', undefined],
    ['a b', undefined],
    ['example.com:99999', undefined],
    ['', undefined],
  ] as const)
    assert.equal(parseHost(text), read, text)
})

test('tools on PATH are readable with what stands beside them, a home is not', () => {
  const found = listToolFolders(
    '/usr/bin:/h/me/.cargo/bin:/h/me/bin:/h/me:/h/me/.local/bin:/srv/x/.bin:relative',
    '/h/me',
  )
  assert.deepEqual(
    found.filter(folder => !folder.includes('.rustup') && !/\.local\/(lib|pipx|share)/.test(folder)),
    ['/h/me/.cargo', '/h/me/bin', '/h/me/.local/bin', '/srv/x'],
  )
})

test('Linux names what can be read, macOS what cannot', () => {
  assert.ok(listReadablePaths('/usr/bin', '/nowhere/me', 'linux').denied.includes('/'))
  assert.ok(!listReadablePaths('/usr/bin', '/nowhere/me', 'darwin').denied.includes('/'))
})

test('what is written below a place that is read lies on top of it', () => {
  const policy = {
    ...buildPolicy('orchestrator', { ...needs, readablePaths: ['/s'], writablePaths: ['/s/orchestrator'] }),
    tempFolder: '/s/scratch',
  }
  const { filesystem } = buildRuntimeConfig(policy, { denied: ['/'], allowed: ['/usr'] }, '/tmp/scene')
  assert.deepEqual(filesystem.denyRead, ['/', '/s/orchestrator', '/s/scratch'])
  assert.deepEqual(filesystem.allowWrite, ['/s/orchestrator', '/s/scratch'])
})

test('a check on a Mac may serve on loopback, an orchestrator may not', () => {
  const reads = { denied: [], allowed: [] }
  const mac = (role: SandboxRole) =>
    buildRuntimeConfig(buildPolicy(role, needs), reads, '/tmp/scene', 'darwin').network.allowLocalBinding
  assert.deepEqual([mac('check'), mac('orchestrator')], [true, false])
})

// --- what this machine has ---

test('what is missing is said with its remedy', async t => {
  const empty = createScratchFolder(t)
  assert.deepEqual(await detectSandbox(empty, 'linux'), describeMissingPrograms(['bwrap', 'socat']))
  fs.writeFileSync(
    path.join(empty, 'bwrap'),
    '#!/bin/sh\necho "bwrap: No permissions to create new namespace, likely" >&2\nexit 1\n',
    { mode: 0o755 },
  )
  fs.writeFileSync(path.join(empty, 'socat'), '#!/bin/sh\n', { mode: 0o755 })
  const refused = await detectSandbox(empty, 'linux')
  assert.match('problem' in refused ? refused.problem : '', /lets nobody make a namespace/)
  assert.match('problem' in (await detectSandbox(empty, 'sunos')) ? 'problem' : '', /problem/)
})

/** Last words of bubblewrap as they were heard: Debian 12 nested, a spent limit, Ubuntu 24.04, a container. */
test('the words of bubblewrap', () => {
  for (const [said, means] of [
    [
      'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces. See <x>',
      /nobody make a namespace/,
    ],
    [
      'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
      /nobody make a namespace/,
    ],
    ['bwrap: setting up uid map: Permission denied', /nobody make a namespace/],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", /container/],
    ['', /says nothing/],
  ] as const)
    assert.match(describeBubblewrapError(said), means)
})

// --- a life inside ---

interface Inside {
  folder: string
  policy(changes?: Partial<SandboxPolicy>): string
  sh(script: string, changes?: Partial<SandboxPolicy>, searchPath?: string): ReturnType<typeof runProgram>
  outcome(): SandboxResult
}

function inside(t: TestContext): Inside {
  const folder = fs.realpathSync(createScratchFolder(t))
  const at = (name: string) => path.join(folder, name)
  for (const name of ['out', 'scratch', 'home']) fs.mkdirSync(at(name))
  const policy = (changes: Partial<SandboxPolicy> = {}) => {
    const plain = buildPolicy('check', {
      folder: at('out'),
      tempFolder: at('scratch'),
      writablePaths: [at('out')],
      resultFile: at('outcome'),
    })
    fs.writeFileSync(at('policy'), JSON.stringify({ ...plain, ...changes }))
    return at('policy')
  }
  return {
    folder,
    policy,
    outcome: () => SandboxResult.parse(readJson(at('outcome'))),
    sh: (script, changes, searchPath = `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`) => {
      const [node = '', ...words] = [...door, policy(changes), '--', '/bin/sh', '-c', script]
      const env = {
        PATH: searchPath,
        HOME: at('home'),
        SECRET: 'x',
      }
      return runProgram(node, words, { env, cwd: folder, timeoutMs: 60_000 })
    },
  }
}

test('the environment is built from empty, and holds nothing of the sandbox but the way out', { skip }, async t => {
  const { sh, folder } = inside(t)
  const names = (said: string) => [...said.matchAll(/^([A-Za-z_]+)=/gm)].map(([, name = '']) => name).sort()
  const ran = await sh('env')
  assert.deepEqual(names(ran.stdout), ['HOME', 'PATH', 'PWD', 'TMPDIR'])
  assert.match(ran.stdout, new RegExp(`^TMPDIR=${folder}/scratch$`, 'm'))
  const way = [
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
  const called = await sh('env', { allowedHosts: ['example.com:443'] })
  assert.deepEqual(
    names(called.stdout).filter(name => !['HOME', 'PATH', 'PWD', 'TMPDIR'].includes(name)),
    way,
  )
})

test('exit codes are the command’s own, and the outcome says whether it was the command', { skip }, async t => {
  const { sh, outcome } = inside(t)
  assert.equal((await sh('exit 11')).exitCode, 11)
  const { milliseconds, ...ended } = outcome()
  assert.deepEqual(ended, { hasStarted: true, exitCode: 11, signal: null, reason: '' })
  assert.ok(Number.isInteger(milliseconds))
  assert.equal((await sh('kill -9 $$')).exitCode, 137)
  const ran = await sh('true', { folder: '/nowhere' })
  assert.equal(ran.exitCode, 126)
})

test('a sandbox that does not come up is exit 11, and nothing has run', { skip }, async t => {
  const { sh, folder, outcome } = inside(t)
  const sham = path.join(folder, 'sham')
  fs.mkdirSync(sham)
  fs.writeFileSync(path.join(sham, 'bwrap'), '#!/bin/sh\necho "bwrap: no" >&2\nexit 1\n', { mode: 0o755 })
  const ran = await sh('touch ran', {}, `${sham}:/usr/bin:/bin`)
  assert.equal(ran.exitCode, exitCodes.sandbox)
  assert.equal(outcome().hasStarted, false)
  assert.ok(!fs.existsSync(path.join(folder, 'out/ran')))
})

test('a program that an agent has put on PATH is never run outside', { skip }, async t => {
  const { sh, folder } = inside(t)
  const tools = path.join(folder, 'out/node_modules/.bin')
  fs.mkdirSync(tools, { recursive: true })
  const mark = path.join(folder, 'home/was-here')
  for (const name of ['bwrap', 'socat', 'true', 'sh', 'bash', 'which', 'rg', 'npm', 'node', 'env'])
    fs.writeFileSync(path.join(tools, name), `#!/bin/sh\ntouch '${mark}'\nexit 1\n`, { mode: 0o755 })
  const usual = '/usr/local/bin:/usr/bin:/bin'
  const docs = { writablePaths: [path.join(folder, 'out/docs')] } // As an rw worker's: it may not write where another one did.
  const policies = [
    { allowedHosts: [] },
    { allowedHosts: ['example.com:443'] },
    docs,
    { ...docs, toolFolders: [tools] },
  ]
  for (const policy of policies)
    for (const search of [usual, `${tools}:${usual}`]) {
      const isThere = search !== usual || 'toolFolders' in policy
      const ran = await sh(`case $PATH in '${tools}'*) exit 3 ;; esac; exit 4`, policy, search)
      assert.equal(ran.exitCode, isThere ? 3 : 4, ran.stderr)
    }
  assert.ok(!fs.existsSync(mark))
})

test('the sandbox never searches with ripgrep, so a missing one costs no time', { skip }, async t => {
  const { sh, folder } = inside(t)
  const tools = path.join(folder, 'home/tools')
  fs.mkdirSync(tools, { recursive: true })
  const mark = path.join(folder, 'home/searched')
  fs.writeFileSync(path.join(tools, 'rg'), `#!/bin/sh\ntouch '${mark}'\n`, { mode: 0o755 })
  for (const allowedHosts of [[], ['example.com:443']]) {
    const ran = await sh('true', { allowedHosts }, `${tools}:/usr/local/bin:/usr/bin:/bin`)
    assert.equal(ran.exitCode, 0, ran.stderr)
  }
  assert.ok(!fs.existsSync(mark))
})

test('a place to write that an agent has turned into a link is refused', { skip }, async t => {
  const { sh, folder } = inside(t)
  fs.symlinkSync(path.join(folder, 'home'), path.join(folder, 'out/docs'))
  fs.symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'out/gone'))
  for (const name of ['docs', 'docs/deep', 'gone']) {
    const ran = await sh('true', { writablePaths: [path.join(folder, 'out', name)] })
    assert.equal(ran.exitCode, exitCodes.integrity, name)
  }
})

test('what a project’s own tests do, they do inside as well', { skip }, async t => {
  const { sh, folder } = inside(t)
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
  const ran = await sh(
    `node t.mjs; ${python}; ${git}; cat /proc/self/status | head -1; mkfifo f && (echo fifo >f & cat f)`,
  )
  for (const word of ['ipc', 'served', '[1, 2]', path.join(folder, 'scratch'), 'Name:', 'fifo'])
    assert.ok(ran.stdout.includes(word), `${word} in:\n${ran.stdout}\n${ran.stderr}`)
})

test('the name of the folder for temporary files may have any length', { skip }, async t => {
  const { policy, folder } = inside(t)
  const [node = '', ...words] = [
    ...door,
    policy({ allowedHosts: ['example.com:443'] }),
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
    const ran = await runProgram(node, words, { env, cwd: folder, timeoutMs: 60_000 })
    assert.equal(ran.stdout, 'here\n', `${temp.length} bytes: ${ran.stderr}`)
  }
})

test('a host that is allowed can be reached by its name and port, another port cannot', { skip }, async t => {
  const { sh } = inside(t)
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

test('whoever stands beside it dies, and all inside with it', { skip }, async t => {
  const { policy, sh, folder } = inside(t)
  const mark = path.join(folder, 'out/alive')
  const [node = '', ...words] = [
    ...door,
    policy({ allowedHosts: ['example.com:443'] }),
    '--',
    '/bin/sh',
    '-c',
    `while :; do date +%s%N >'${mark}'; sleep 0.05; done`,
  ]
  const child = spawn(node, words, { env: { PATH: process.env['PATH'] ?? '' }, stdio: 'ignore' })
  await waitUntil(() => fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') !== '', 'it lives')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await new Promise(resolve => setTimeout(resolve, 300))
  const last = fs.readFileSync(mark, 'utf8')
  await new Promise(resolve => setTimeout(resolve, 300))
  assert.equal(fs.readFileSync(mark, 'utf8'), last)
  const left = () => fs.readdirSync(os.tmpdir()).filter(name => name.startsWith(`dsp-${child.pid}-`))
  assert.equal(left().length, 1)
  await sh('true') // Whoever comes next clears away what is left.
  assert.deepEqual(left(), [])
  const relays = await runProgram('ps', ['-eo', 'args'])
  assert.ok(!relays.stdout.includes(`dsp-${child.pid}-`), relays.stdout)
})

test('a terminal that changes its size is followed', { skip }, async t => {
  const { policy, folder } = inside(t)
  const socket = path.join(folder, 't')
  const tmux = (...words: string[]) => runProgram('tmux', ['-S', socket, '-f', '/dev/null', ...words])
  const script = `trap 'stty size >size' WINCH; echo ready >size; while :; do sleep 0.05; done`
  try {
    await tmux(
      'new-session',
      '-d',
      '-s',
      'a',
      '-x',
      '100',
      '-y',
      '30',
      ...door,
      policy(),
      '--',
      '/bin/sh',
      '-c',
      script,
    )
    const size = path.join(folder, 'out/size')
    await waitUntil(() => fs.existsSync(size), 'it is there')
    await tmux('set-option', '-g', 'window-size', 'manual')
    await tmux('resize-window', '-t', 'a', '-x', '70', '-y', '25')
    await waitUntil(() => fs.readFileSync(size, 'utf8').trim() === '25 70', 'it knows the size')
  } finally {
    await tmux('kill-server') // Before its folder goes, and its socket with it.
  }
})

test('the command reaches the shell inside word for word', () => {
  const script = buildInnerScript(buildPolicy('check', needs), ['echo', "it's", '$(id)', 'a b'])
  assert.ok(
    script.endsWith(`exec 'echo' 'it'\\''s' '$(id)' 'a b'`) || script.endsWith(`exec echo 'it'\\''s' '$(id)' 'a b'`),
    script,
  )
})
