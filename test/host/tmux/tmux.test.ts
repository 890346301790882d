import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { readIfPresent } from '#host/fs'
import { openTmux, type Tmux } from '#host/tmux'
import { parsePanes } from '#host/tmux/tmux.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const tell = path.join(import.meta.dirname, '../../fixtures/host/tell.mjs')

interface Told {
  words: string[]
  variables: Record<string, string>
}

/** A tmux of a home of its own; its server, its socket and all in it are gone with the test. */
function newTmux(t: TestContext): { tmux: Tmux; folder: string } {
  const folder = createScratchFolder(t)
  const tmux = openTmux(folder)
  t.after(async () => {
    const socket = (
      await runProgram('tmux', ['-L', tmux.socket, 'display-message', '-p', '#{socket_path}'])
    ).stdout.trim()
    await runProgram('tmux', ['-L', tmux.socket, 'kill-server'])
    if (socket !== '') fs.rmSync(socket, { force: true })
  })
  return { tmux, folder }
}

const telling = (file: string, ...words: string[]) => [process.execPath, tell, file, ...words]

const told = (file: string): Promise<Told> =>
  waitUntil(
    () => fs.existsSync(file) && (JSON.parse(fs.readFileSync(file, 'utf8')) as Told),
    `${path.basename(file)} is told`,
  )

const sleeping = { name: 'sleeper', command: ['sleep', '1000'] }

test('each home has a socket of its own, and always the same', t => {
  const homes = ['/a', '/b', '/a b'].map(home => openTmux(home).socket)
  assert.equal(new Set(homes).size, 3)
  assert.equal(openTmux('/a').socket, homes[0])
  for (const socket of homes) assert.match(socket, /^dispatch-[0-9a-f]{10}$/)
  assert.notEqual(newTmux(t).tmux.socket, newTmux(t).tmux.socket)
})

test('a command arrives exactly, word by word, and nothing in it is run', async t => {
  const { tmux, folder } = newTmux(t)
  const canary = path.join(folder, 'X')
  const words = ['', 'a b', "'", '"', '\\', 'a\\', '\\;', ';', ';;', 'one;', 'a\\;', '-x', '~', '*', '#{pane_id}', '%1']
  words.push(
    `#(touch ${canary})`,
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `; touch ${canary} ;`,
    'ü😀',
    'a\nb',
    '\t',
  )
  words.push('x'.repeat(5000), 'new-session', '{', '}', 'end;')
  const at = (name: string) => path.join(folder, name)
  const others = ['second', 'third'].map(name => ({ name, command: telling(at(name), name, ...words) }))
  await tmux.openSession(
    { session: 'a', folder },
    [{ name: 'first', command: telling(at('first'), 'first', ...words) }, ...others],
    ['PATH'],
  )
  await tmux.openWindow({ session: 'a', folder, name: 'later', command: telling(at('later'), 'later', ...words) })
  for (const name of ['first', 'second', 'third', 'later'])
    assert.deepEqual((await told(at(name))).words, [name, ...words], name)
  assert.ok(!fs.existsSync(canary))
  assert.deepEqual(
    (await tmux.listPanes()).map(pane => [pane.session, pane.window, pane.isDead]),
    ['first', 'second', 'third', 'later'].map(name => ['a', name, false]),
  )
})

test('a path of any length starts: no argument of tmux grows with it', async t => {
  const { tmux, folder: place } = newTmux(t)
  const long = path.join(place, ...Array.from({ length: 18 }, (_, at) => `${at}#{pane_id}%`.padEnd(200, 'x')))
  const file = path.join(long, 'told')
  assert.ok(file.length > 3500)
  const window = (name: string) => ({ name, command: telling(path.join(long, name), file, file, file, file, file) })
  const session = { session: 'a', folder: path.join(long, 'windows') }
  await tmux.openSession(session, [window('first'), window('second')], ['PATH'])
  const pid = await tmux.openWindow({ ...session, ...window('third') })
  for (const name of ['first', 'second', 'third'])
    assert.deepEqual((await told(path.join(long, name))).words, Array(5).fill(file), name)
  process.kill(pid, 'SIGKILL')
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.pid === pid && pane.isDead),
    'it is seen to be dead',
  )
  fs.rmSync(path.join(long, 'third'))
  assert.equal(await tmux.respawnWindow({ ...session, ...window('third') }), true)
  assert.deepEqual((await told(path.join(long, 'third'))).words, Array(5).fill(file))
  const mode = (name: string) => fs.statSync(path.join(session.folder, name)).mode & 0o777
  assert.deepEqual([mode('.'), mode('first.sh')], [0o700, 0o700])
})

test('a command of one word is that program, with blanks and all, and not a line for a shell', async t => {
  const { tmux, folder } = newTmux(t)
  const program = path.join(folder, 'a program; #(x) $HOME')
  const file = path.join(folder, 'told')
  fs.writeFileSync(program, `#!/bin/sh\necho ran > '${file}'\nexec sleep 1000\n`, { mode: 0o755 })
  await tmux.openSession({ session: 'a', folder }, [{ name: 'first', command: [program] }], ['PATH'])
  await waitUntil(() => readIfPresent(file) === 'ran\n', 'it has run')
})

test('a session is meant by its whole name only, and so is a window', async t => {
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

test('a session that is there already is refused in words, and stays', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  await assert.rejects(
    tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH']),
    (error: unknown) =>
      error instanceof DispatchError && error.exitCode === 6 && /duplicate session: a/.test(error.message),
  )
  assert.equal((await tmux.listPanes()).length, 1)
})

test('a window has the variables that were named, and no other of ours, now or later, in this session or the next', async t => {
  const { tmux, folder } = newTmux(t)
  const at = (name: string) => path.join(folder, name)
  const secrets = ['DISPATCH_TEST_NAMED', 'DISPATCH_TEST_UNNAMED', 'DISPATCH_TEST_SECOND']
  for (const name of secrets) process.env[name] = `value of ${name}; "$(x)"`
  t.after(() => secrets.forEach(name => void delete process.env[name]))
  const names = async (file: string) =>
    Object.keys((await told(at(file))).variables).filter(name => secrets.includes(name))
  await tmux.openSession(
    { session: 'one', folder },
    [{ name: 'first', command: telling(at('1')) }],
    ['PATH', 'DISPATCH_TEST_NAMED'],
  )
  assert.deepEqual(await names('1'), ['DISPATCH_TEST_NAMED'])
  assert.equal((await told(at('1'))).variables['DISPATCH_TEST_NAMED'], 'value of DISPATCH_TEST_NAMED; "$(x)"')
  await tmux.openWindow({ session: 'one', folder, name: 'later', command: telling(at('2')) })
  assert.deepEqual(await names('2'), ['DISPATCH_TEST_NAMED'])
  await tmux.openSession(
    { session: 'two', folder },
    [{ name: 'first', command: telling(at('3')) }],
    ['PATH', 'DISPATCH_TEST_SECOND'],
  )
  assert.deepEqual(await names('3'), ['DISPATCH_TEST_SECOND'], 'the first session’s value is not handed on')
  await tmux.openSession({ session: 'three', folder }, [{ name: 'first', command: telling(at('4')) }], [])
  assert.deepEqual(await names('4'), [])
  await tmux.openWindow({ session: 'one', folder, name: 'last', command: telling(at('5')) })
  assert.deepEqual(await names('5'), ['DISPATCH_TEST_NAMED'])
})

test('a secret stands in no argument list, and not in the server', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  const { tmux, folder } = newTmux(t)
  const secret = `secret-${process.pid}-${Math.random()}`
  process.env['DISPATCH_TEST_NAMED'] = secret
  t.after(() => void delete process.env['DISPATCH_TEST_NAMED'])
  const seen: string[] = []
  const look = () => {
    for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      if (readIfPresent(`/proc/${pid}/cmdline`)?.includes(secret)) seen.push(pid)
  }
  const watch = setInterval(look, 5)
  t.after(() => clearInterval(watch))
  await tmux.openSession(
    { session: 'one', folder },
    [{ name: 'first', command: telling(path.join(folder, '1')) }],
    ['PATH', 'DISPATCH_TEST_NAMED'],
  )
  assert.equal((await told(path.join(folder, '1'))).variables['DISPATCH_TEST_NAMED'], secret)
  look()
  assert.deepEqual(seen, [])
  const server = (await runProgram('tmux', ['-L', tmux.socket, 'display-message', '-p', '#{pid}'])).stdout.trim()
  assert.ok(readIfPresent(`/proc/${server}/cmdline`)?.startsWith('tmux'))
  assert.ok(!readIfPresent(`/proc/${server}/environ`)?.includes(secret))
})

test('the screen shows what a person would see, also after the program has ended', async t => {
  const { tmux, folder } = newTmux(t)
  const script = path.join(folder, 'say')
  fs.writeFileSync(script, `printf '\\033[31mred\\033[0m\\nzwölf %s\\n' '${'x'.repeat(250)}'; exit 3\n`)
  await tmux.openSession({ session: 'a', folder }, [{ name: 'say', command: ['/bin/sh', script] }, sleeping], ['PATH'])
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.window === 'say' && pane.isDead),
    'it has ended',
  )
  const screen = (await tmux.captureText('a', 'say')) ?? assert.fail()
  assert.match(screen, /^red\nzwölf x{250}\n/)
  assert.match(screen, /Pane is dead/)
  assert.equal(await tmux.captureText('a', 'nothing'), undefined)
})

test('a pane tells the process in it', async t => {
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
    'it is there',
  )
  process.kill(pid, 'SIGKILL')
  await waitUntil(
    async () => (await tmux.listPanes()).some(pane => pane.pid === pid && pane.isDead),
    'it is seen to be dead',
  )
})

test('a window is renewed where its command has ended, once, and what runs in it is left alone', async t => {
  const { tmux, folder } = newTmux(t)
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  const window = { session: 'a', folder, name: 'second', command: ['sleep', '1001'] }
  const alive = async () => (await tmux.listPanes()).filter(pane => pane.window === 'second' && !pane.isDead)
  await tmux.respawnWindow(window)
  const [first] = await alive()
  assert.ok(first, 'where there is none it is opened')
  assert.equal(await tmux.respawnWindow(window), false)
  assert.deepEqual(await alive(), [first])
  process.kill(first.pid, 'SIGKILL')
  await waitUntil(async () => (await alive()).length === 0, 'it is seen to be dead')
  const renewed = await Promise.all(Array.from({ length: 10 }, () => tmux.respawnWindow(window)))
  const [after, ...others] = await alive()
  assert.deepEqual([renewed.filter(Boolean).length, others], [1, []], 'ten at once renew it once')
  assert.ok(after && after.pid !== first.pid)

  await runProgram('tmux', ['-L', tmux.socket, 'split-window', '-d', '-t', '=a:=second', 'sleep', '1002'])
  process.kill(after.pid, 'SIGKILL')
  await waitUntil(async () => (await alive()).length === 1, 'it is seen to be dead, and the other half lives')
  assert.equal(await tmux.respawnWindow(window), true)
  assert.equal((await alive()).length, 2)
})

test('where no server runs there is nothing, and closing is no error', async t => {
  const { tmux, folder } = newTmux(t)
  assert.deepEqual(await tmux.listPanes(), [])
  assert.equal(await tmux.captureText('a', 'b'), undefined)
  await tmux.closeSession('a')
  await assert.rejects(tmux.openWindow({ session: 'a', folder, ...sleeping }), DispatchError)
})

test('a session can be opened again at once after its server was killed, and the last one to close ends the server', async t => {
  const { tmux, folder } = newTmux(t)
  for (let times = 0; times < 5; times++) {
    await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
    assert.equal((await tmux.listPanes()).length, 1)
    await runProgram('tmux', ['-L', tmux.socket, 'kill-server'])
  }
  await tmux.openSession({ session: 'a', folder }, [sleeping], ['PATH'])
  await tmux.closeSession('a')
  await waitUntil(
    async () => (await runProgram('tmux', ['-L', tmux.socket, 'list-sessions'])).exitCode !== 0,
    'the server has gone',
  )
  assert.match(
    (await runProgram('tmux', ['-L', tmux.socket, 'list-sessions'])).stderr,
    /no server running|error connecting/,
  )
})

test('lines of panes read, and nothing is no pane', () => {
  assert.deepEqual(parsePanes(''), [])
  assert.deepEqual(parsePanes('a 7 1 b\nc 8 0 d e\n'), [
    { session: 'a', window: 'b', pid: 7, isDead: true },
    { session: 'c', window: 'd e', pid: 8, isDead: false },
  ])
})

test('a missing tmux is told in words', async t => {
  const before = process.env['PATH']
  process.env['PATH'] = createScratchFolder(t)
  t.after(() => {
    process.env['PATH'] = before
  })
  await assert.rejects(
    openTmux('/x').openSession({ session: 'a', folder: createScratchFolder(t) }, [sleeping], []),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 6 && /not installed/.test(error.message),
  )
})
