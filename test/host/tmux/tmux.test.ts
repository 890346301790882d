import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { readIfPresent } from '#host/fs'
import { identify } from '#host/process'
import { openTmux, type Tmux } from '#host/tmux'
import { findDetachKeys } from '#host/tmux/attach.ts'
import { chooseSocket, recordServer } from '#host/tmux/socket.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

const recorder = path.join(import.meta.dirname, '../../fixtures/host/record-start.mjs')

interface RecordedStart {
  args: string[]
  variables: Record<string, string>
}

/** A tmux with its own home. Its server, its socket and its windows end with the test. */
function newTmux(t: TestContext): { tmux: Tmux; folder: string } {
  t.after(async () => {
    const socket = (
      await runProgram('tmux', [...tmux.socketArguments, 'display-message', '-p', '#{socket_path}'])
    ).stdout.trim()
    await runProgram('tmux', [...tmux.socketArguments, 'kill-server'])
    if (socket !== '') fs.rmSync(socket, { force: true })
  })
  const folder = createScratchFolder(t) // It has the socket, so it is removed after the server has ended.
  const tmux = openTmux(folder)
  return { tmux, folder }
}

const recordStart = (file: string, ...args: string[]) => [process.execPath, recorder, file, ...args]

const readStart = (file: string): Promise<RecordedStart> =>
  waitUntil(
    () => fs.existsSync(file) && (JSON.parse(fs.readFileSync(file, 'utf8')) as RecordedStart),
    `${path.basename(file)} is recorded`,
  )

const sleeping = { name: 'sleeper', command: ['sleep', '1000'] }

test('each home has its own socket, and always the same', t => {
  const homes = ['/a', '/b', '/a b'].map(home => openTmux(home).socket)
  assert.equal(new Set(homes).size, 3)
  assert.equal(openTmux('/a').socket, homes[0])
  for (const socket of homes) assert.match(socket, /^\/(a|b|a b)\/tmux(-[0-9a-f]{8})?\.sock$/)
  assert.match(openTmux(`/${'long'.repeat(25)}`).socket, /^dispatch-[0-9a-f]{10}$/, 'too long for a socket')
  assert.notEqual(newTmux(t).tmux.socket, newTmux(t).tmux.socket)
})

test('a command arrives word for word, and nothing in it is run', async t => {
  const { tmux, folder } = newTmux(t)
  const canary = path.join(folder, 'X')
  const args = ['', 'a b', "'", '"', '\\', 'a\\', '\\;', ';', ';;', 'one;', 'a\\;', '-x', '~', '*', '#{pane_id}', '%1']
  args.push(
    `#(touch ${canary})`,
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `; touch ${canary} ;`,
    'ü😀',
    'a\nb',
    '\t',
  )
  args.push('x'.repeat(5000), 'new-session', '{', '}', 'end;')
  const at = (name: string) => path.join(folder, name)
  const others = ['second', 'third'].map(name => ({ name, command: recordStart(at(name), name, ...args) }))
  await tmux.openSession(
    { session: 'a', folder },
    [{ name: 'first', command: recordStart(at('first'), 'first', ...args) }, ...others],
    ['PATH'],
  )
  await tmux.openWindow({ session: 'a', folder, name: 'later', command: recordStart(at('later'), 'later', ...args) })
  for (const name of ['first', 'second', 'third', 'later'])
    assert.deepEqual((await readStart(at(name))).args, [name, ...args], name)
  assert.ok(!fs.existsSync(canary))
  assert.deepEqual(
    (await tmux.listPanes()).map(pane => [pane.session, pane.window, pane.isDead]),
    ['first', 'second', 'third', 'later'].map(name => ['a', name, false]),
  )
})

test('a path of any length works, because no argument of tmux grows with it', async t => {
  const { tmux, folder: root } = newTmux(t)
  const long = path.join(root, ...Array.from({ length: 18 }, (_, index) => `${index}#{pane_id}%`.padEnd(200, 'x')))
  const file = path.join(long, 'start')
  assert.ok(file.length > 3500)
  const window = (name: string) => ({ name, command: recordStart(path.join(long, name), file, file, file, file, file) })
  const session = { session: 'a', folder: path.join(long, 'windows') }
  await tmux.openSession(session, [window('first'), window('second')], ['PATH'])
  const pid = await tmux.openWindow({ ...session, ...window('third') })
  for (const name of ['first', 'second', 'third'])
    assert.deepEqual((await readStart(path.join(long, name))).args, Array(5).fill(file), name)
  process.kill(pid, 'SIGKILL')
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.pid === pid && pane.isDead),
    'tmux sees that it ended',
  )
  fs.rmSync(path.join(long, 'third'))
  assert.equal(await tmux.respawnWindow({ ...session, ...window('third') }), true)
  assert.deepEqual((await readStart(path.join(long, 'third'))).args, Array(5).fill(file))
  const mode = (name: string) => fs.statSync(path.join(session.folder, name)).mode & 0o777
  assert.deepEqual([mode('.'), mode('first.sh')], [0o700, 0o700])
})

test('a command of one word is a program, not a line for a shell', async t => {
  const { tmux, folder } = newTmux(t)
  const program = path.join(folder, 'a program; #(x) $HOME')
  const file = path.join(folder, 'start')
  fs.writeFileSync(program, `#!/bin/sh\necho ran > '${file}'\nexec sleep 1000\n`, { mode: 0o755 })
  await tmux.openSession({ session: 'a', folder }, [{ name: 'first', command: [program] }], ['PATH'])
  await waitUntil(() => readIfPresent(file) === 'ran\n', 'it has run')
})

test('a session and a window are found by their whole names only', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'abc123', folder }, [{ ...sleeping, name: 'runner' }], ['PATH'])
  await assert.rejects(tmux.openWindow({ session: 'abc', folder, ...sleeping }), /can't find session: abc/)
  assert.equal(await tmux.captureText('abc', 'runner'), undefined)
  assert.equal(await tmux.captureText('abc123', 'run'), undefined)
  await tmux.closeSession('abc')
  await tmux.closeSession('a*')
  await assert.rejects(
    tmux.respawnWindow({ session: 'abc', folder, ...sleeping, name: 'runner' }),
    /can't find session: abc/,
  )
  assert.equal((await tmux.listPanes()).length, 1)
  await tmux.closeSession('abc123')
  assert.deepEqual(await tmux.listPanes(), [])
})

test('opening a session that exists is exit 6, and it stays', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  await assert.rejects(
    tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH']),
    (error: unknown) =>
      error instanceof DispatchError && error.exitCode === 6 && /duplicate session: a/.test(error.message),
  )
  assert.equal((await tmux.listPanes()).length, 1)
})

test('a window has the named variables only, now and later, in every session', async t => {
  const { tmux, folder } = newTmux(t)
  const at = (name: string) => path.join(folder, name)
  const secrets = ['DISPATCH_TEST_NAMED', 'DISPATCH_TEST_UNNAMED', 'DISPATCH_TEST_SECOND']
  for (const name of secrets) process.env[name] = `value of ${name}; "$(x)"`
  t.after(() => secrets.forEach(name => void delete process.env[name]))
  const names = async (file: string) =>
    Object.keys((await readStart(at(file))).variables).filter(name => secrets.includes(name))
  await tmux.openSession(
    { session: 'one', folder },
    [{ name: 'first', command: recordStart(at('1')) }],
    ['PATH', 'DISPATCH_TEST_NAMED'],
  )
  assert.deepEqual(await names('1'), ['DISPATCH_TEST_NAMED'])
  assert.equal((await readStart(at('1'))).variables['DISPATCH_TEST_NAMED'], 'value of DISPATCH_TEST_NAMED; "$(x)"')
  await tmux.openWindow({ session: 'one', folder, name: 'later', command: recordStart(at('2')) })
  assert.deepEqual(await names('2'), ['DISPATCH_TEST_NAMED'])
  await tmux.openSession(
    { session: 'two', folder },
    [{ name: 'first', command: recordStart(at('3')) }],
    ['PATH', 'DISPATCH_TEST_SECOND'],
  )
  assert.deepEqual(await names('3'), ['DISPATCH_TEST_SECOND'], 'the value of the first session is not inherited')
  await tmux.openSession({ session: 'three', folder }, [{ name: 'first', command: recordStart(at('4')) }], [])
  assert.deepEqual(await names('4'), [])
  await tmux.openWindow({ session: 'one', folder, name: 'last', command: recordStart(at('5')) })
  assert.deepEqual(await names('5'), ['DISPATCH_TEST_NAMED'])
})

test('a secret is in no argument list, and not in the server', {
  skip: whyNotLinux,
}, async t => {
  const { tmux, folder } = newTmux(t)
  const secret = `secret-${process.pid}-${Math.random()}`
  process.env['DISPATCH_TEST_NAMED'] = secret
  t.after(() => void delete process.env['DISPATCH_TEST_NAMED'])
  const pidsWithSecret: string[] = []
  const scanCommandLines = () => {
    for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      if (readIfPresent(`/proc/${pid}/cmdline`)?.includes(secret)) pidsWithSecret.push(pid)
  }
  const watch = setInterval(scanCommandLines, 5)
  t.after(() => clearInterval(watch))
  await tmux.openSession(
    { session: 'one', folder },
    [{ name: 'first', command: recordStart(path.join(folder, '1')) }],
    ['PATH', 'DISPATCH_TEST_NAMED'],
  )
  assert.equal((await readStart(path.join(folder, '1'))).variables['DISPATCH_TEST_NAMED'], secret)
  scanCommandLines()
  assert.deepEqual(pidsWithSecret, [])
  const server = (await runProgram('tmux', [...tmux.socketArguments, 'display-message', '-p', '#{pid}'])).stdout.trim()
  assert.ok(readIfPresent(`/proc/${server}/cmdline`)?.startsWith('tmux'))
  assert.ok(!readIfPresent(`/proc/${server}/environ`)?.includes(secret))
})

test('a captured screen is what a person sees, even of an ended program', async t => {
  const { tmux, folder } = newTmux(t)
  const script = path.join(folder, 'say')
  fs.writeFileSync(script, `printf '\\033[31mred\\033[0m\\nzwölf %s\\n' '${'x'.repeat(250)}'; exit 3\n`)
  await tmux.openSession({ session: 'a', folder }, [{ name: 'say', command: ['/bin/sh', script] }, sleeping], ['PATH'])
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.window === 'say' && pane.isDead),
    'it has ended',
  )
  const screen = await waitUntil(async () => {
    const text = await tmux.captureText('a', 'say')
    return text?.includes('Pane is dead') ? text : undefined
  }, 'tmux draws that it is dead')
  assert.match(screen, /^red\nzwölf x{250}\n/)
  assert.equal(await tmux.captureText('a', 'nothing'), undefined)
})

test('a pane reports the pid of its process', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  const pid = await tmux.openWindow({ session: 'a', folder, name: 'second', command: ['sleep', '1001'] })
  const panes = await tmux.listPanes()
  assert.deepEqual(
    panes.map(pane => [pane.window, pane.pid === pid]),
    [
      ['sleeper', false],
      ['second', true],
    ],
  )
  await waitUntil(
    () => readIfPresent(`/proc/${pid}/cmdline`)?.startsWith('sleep\0') ?? process.platform !== 'linux',
    'it runs',
  )
  process.kill(pid, 'SIGKILL')
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.pid === pid && pane.isDead),
    'tmux sees that it ended',
  )
})

test('a window is respawned once when its command has ended, and never before', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  const window = { session: 'a', folder, name: 'second', command: ['sleep', '1001'] }
  const runningPanes = async () => (await tmux.listPanes()).filter(pane => pane.window === 'second' && !pane.isDead)
  await tmux.respawnWindow(window)
  const [first] = await runningPanes()
  assert.ok(first, 'a window that does not exist is opened')
  assert.equal(await tmux.respawnWindow(window), false)
  assert.deepEqual(await runningPanes(), [first])
  process.kill(first.pid, 'SIGKILL')
  await waitUntil(async () => (await runningPanes()).length === 0, 'tmux sees that it ended')
  const respawned = await Promise.all(Array.from({ length: 10 }, () => tmux.respawnWindow(window)))
  const [after, ...others] = await runningPanes()
  assert.deepEqual([respawned.filter(Boolean).length, others], [1, []], 'ten calls at once respawn it once')
  assert.ok(after && after.pid !== first.pid)

  await runProgram('tmux', [...tmux.socketArguments, 'split-window', '-d', '-t', '=a:=second', 'sleep', '1002'])
  process.kill(after.pid, 'SIGKILL')
  await waitUntil(async () => (await runningPanes()).length === 1, 'tmux sees that it ended, and the other pane runs')
  assert.equal(await tmux.respawnWindow(window), true)
  assert.equal((await runningPanes()).length, 2)
})

test('without a server there are no panes, and closing is not an error', async t => {
  const { tmux, folder } = newTmux(t)
  assert.deepEqual(await tmux.listPanes(), [])
  assert.equal(await tmux.captureText('a', 'b'), undefined)
  await tmux.closeSession('a')
  await assert.rejects(tmux.openWindow({ session: 'a', folder, ...sleeping }), DispatchError)
})

test('a session opens after its server was killed; the last ends the server', async t => {
  const { tmux, folder } = newTmux(t)
  for (let times = 0; times < 5; times++) {
    await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
    assert.equal((await tmux.listPanes()).length, 1)
    await runProgram('tmux', [...tmux.socketArguments, 'kill-server'])
  }
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  await tmux.closeSession('a')
  await waitUntil(
    async () => (await runProgram('tmux', [...tmux.socketArguments, 'list-sessions'])).exitCode !== 0,
    'the server has ended',
  )
  assert.match(
    (await runProgram('tmux', [...tmux.socketArguments, 'list-sessions'])).stderr,
    /no server running|error connecting/,
  )
})

test('a server whose socket was removed opens it again, and no second one starts', async t => {
  const { tmux, folder } = newTmux(t)
  const open = (session: string) => tmux.openSession({ session, folder }, [sleeping], ['PATH'])
  const listSessions = async () => (await tmux.listPanes()).map(pane => pane.session)
  await open('a')
  fs.rmSync(tmux.socket)
  assert.deepEqual(await listSessions(), ['a'])
  fs.rmSync(tmux.socket)
  await open('b')
  assert.deepEqual(await listSessions(), ['a', 'b'])
  assert.equal(await tmux.endLostServer(), undefined, 'it can be reached')
})

test('a server that cannot open its socket again is not doubled, and can be ended', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  fs.rmSync(tmux.socket)
  fs.mkdirSync(tmux.socket)
  await assert.rejects(tmux.openSession({ session: 'b', folder }, [sleeping], ['PATH']), {
    exitCode: 6,
    remedy: /dispatch stop --all/,
  })
  const pid = (await tmux.endLostServer()) ?? assert.fail()
  await waitUntil(async () => (await identify(pid)) === undefined, 'the server has ended')
})

test('where a disk takes no socket, tmux chooses the folder, and others find it', async t => {
  const folder = createScratchFolder(t)
  assert.equal(chooseSocket(folder)[0], '-S')
  const [option, name] = chooseSocket(folder, true)
  assert.equal(option, '-L')
  const child = spawn('sleep', ['1000'])
  await recordServer(folder, `${child.pid} /tmp/tmux-0/${name}\n`)
  assert.deepEqual(chooseSocket(folder), ['-S', `/tmp/tmux-0/${name}`], 'a server that runs, whatever TMUX_TMPDIR is')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(chooseSocket(folder), [option, name])
})

test('a terminal that tmux does not know is taken for one that it knows', { skip: whyNotLinux }, async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  const program = `import { openTmux } from '#host/tmux'
    await openTmux(process.argv[1]).attach('a', 'sleeper').catch(error => console.log(error.message))`
  const line = `stty rows 0 cols 0; ${process.execPath} --input-type=module -e "$PROGRAM" '${folder}'`
  const attach = (TERM: string) =>
    runProgram('script', ['-qec', line, '/dev/null'], {
      cwd: path.join(import.meta.dirname, '../../..'),
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, PROGRAM: program, TERM },
    })
  const readClients = async () =>
    (await runProgram('tmux', [...tmux.socketArguments, 'list-clients', '-F', '#{client_termname}'])).stdout
  for (const TERM of ['xterm-ghostty', '']) {
    const attached = attach(TERM)
    assert.equal(
      await waitUntil(async () => (await readClients()).trim() || undefined, `${TERM} is attached`),
      'xterm-256color',
    )
    await runProgram('tmux', [...tmux.socketArguments, 'detach-client', '-s', '=a'])
    assert.equal((await attached).exitCode, 0)
  }
  assert.match((await attach('dumb')).stdout, /this terminal cannot show a window \(TERM=dumb\)/)
  const options = await runProgram('tmux', [...tmux.socketArguments, 'show-options', '-A', '-t', '=a:'])
  assert.match(options.stdout, /^mouse\*? on$/m)
  assert.match(options.stdout, /^status-right "Ctrl-b d leaves/m)
})

test('inside a tmux of the user with the same prefix, the keys that leave are doubled', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  const environment = { PATH: process.env['PATH'], TMUX: `${tmux.socket},1,0` }
  assert.equal(await findDetachKeys({ PATH: process.env['PATH'] }), 'Ctrl-b d')
  assert.equal(await findDetachKeys(environment), 'Ctrl-b Ctrl-b d')
  await runProgram('tmux', [...tmux.socketArguments, 'set-option', '-g', 'prefix', 'C-a'])
  assert.equal(await findDetachKeys(environment), 'Ctrl-b d')
})

test('a missing tmux is exit 6', async t => {
  const before = process.env['PATH']
  process.env['PATH'] = createScratchFolder(t)
  t.after(() => {
    process.env['PATH'] = before
  })
  await assert.rejects(
    openTmux('/x').openSession({ session: 'a', folder: createScratchFolder(t) }, [sleeping], []),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 6,
  )
})

test('a server in a folder that tmux chose is found with another TMUX_TMPDIR', async t => {
  const home = path.join(createScratchFolder(t), 'long'.repeat(25))
  fs.mkdirSync(home)
  const program = `import { openTmux } from '#host/tmux'
    const tmux = openTmux(process.argv[1])
    if (process.argv[2] === 'open')
      await tmux.openSession({ session: 'a', folder: process.argv[1] }, [{ name: 'w', command: ['sleep', '1000'] }], ['PATH'])
    console.log((await tmux.listPanes()).length)
    if (process.argv[2] === 'close') await tmux.closeSession('a')`
  const run = async (step: string) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMUX_TMPDIR: createScratchFolder(t) }
    const args = ['--input-type=module', '-e', program, home, step]
    const cwd = path.join(import.meta.dirname, '../../..')
    const result = await runProgram(process.execPath, args, { cwd, env })
    return result.stdout.trim() || assert.fail(result.stderr)
  }
  assert.deepEqual([await run('open'), await run('look'), await run('close')], ['1', '1', '1'])
})
