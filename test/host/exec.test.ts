import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { identify } from '#host/process'
import { createScratchFolder, waitUntil } from '../fixtures/scratch.ts'

const node = (script: string, ...args: string[]): [string, string[]] => [
  process.execPath,
  ['-e', script, '--', ...args],
]

test('arguments arrive exactly, and no shell reads them', async t => {
  const folder = createScratchFolder(t)
  const words = ['', 'a b', '$(touch X)', '`touch X`', ';', '&& touch X', "'", '"', '\\', '*', '~', 'ü😀', '\n', '-x']
  const ran = await runProgram(...node('process.stdout.write(JSON.stringify(process.argv.slice(1)))', ...words), {
    cwd: folder,
  })
  assert.deepEqual(JSON.parse(ran.stdout), words)
  assert.deepEqual(fs.readdirSync(folder), [])
})

test('what a program did is told: its exit, its signal, its words', async () => {
  const table: [string, number | undefined, string | undefined][] = [
    ['exit 0', 0, undefined],
    ['exit 3', 3, undefined],
    ['kill -TERM $$', undefined, 'SIGTERM'],
    ['kill -KILL $$', undefined, 'SIGKILL'],
  ]
  for (const [script, code, signal] of table) {
    const ran = await runProgram('/bin/sh', ['-c', `echo out; echo err >&2; ${script}`])
    assert.deepEqual([ran.exitCode, ran.signal, ran.timedOut, ran.startError], [code, signal, false, undefined], script)
    assert.deepEqual([ran.stdout, ran.stderr], ['out\n', 'err\n'])
  }
})

test('a program that cannot be started is told, not thrown', async t => {
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, 'plain'), 'x')
  const table: [program: string, cwd: string, why: string, command?: string][] = [
    ['no-such-program', folder, 'ENOENT'],
    [path.join(folder, 'plain'), folder, 'EACCES'],
    [folder, folder, 'EACCES'],
    ['/bin/sh', path.join(folder, 'nowhere'), 'ENOENT'],
    ['/bin/sh', path.join(folder, 'plain'), 'ENOTDIR'],
    ['/bin/sh', folder, 'E2BIG', `: ${'x'.repeat(4 * 1024 * 1024)}`],
  ]
  for (const [program, cwd, why, command = 'true'] of table) {
    const ran = await runProgram(program, ['-c', command], { cwd })
    assert.deepEqual([ran.startError, ran.exitCode, ran.stdout], [why, undefined, ''], program)
  }
})

test('only the environment that is given is given', async () => {
  process.env['DISPATCH_TEST_SECRET'] = 'secret'
  const script = 'process.stdout.write(JSON.stringify(process.env))'
  const bare = JSON.parse((await runProgram(...node(script), { env: { GIVEN: '1' } })).stdout)
  const whole = JSON.parse((await runProgram(...node(script))).stdout)
  delete process.env['DISPATCH_TEST_SECRET']
  assert.deepEqual([bare.GIVEN, bare.DISPATCH_TEST_SECRET, bare.PATH], ['1', undefined, undefined])
  assert.equal(whole.DISPATCH_TEST_SECRET, 'secret', 'without one, ours is inherited')
})

test('input arrives whole; a program that does not read it is no error; without input there is none', async () => {
  const input = 'zwölf\n'.repeat(100_000)
  assert.equal((await runProgram('cat', [], { input })).stdout, input)
  assert.deepEqual((await runProgram('true', [], { input })).exitCode, 0)
  assert.equal((await runProgram('cat', [], { input: '' })).stdout, '')
  assert.equal((await runProgram('cat', [])).stdout, '')
})

test('output is kept up to the cap; the program goes on to its end', async () => {
  const ran = await runProgram('/bin/sh', ['-c', 'head -c 3000000 /dev/zero; echo end >&2; exit 4'], {
    maxOutputBytes: 1000,
  })
  assert.deepEqual([ran.stdout.length, ran.stderr, ran.exitCode], [1000, 'end\n', 4])
})

test('at the deadline the program and its children end, and its words until then are kept', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const ran = await runProgram('/bin/sh', ['-c', `echo before; sleep 1000 & echo $! > '${pidFile}'; wait`], {
    timeoutMs: 1500,
  })
  assert.deepEqual([ran.timedOut, ran.exitCode, ran.stdout], [true, undefined, 'before\n'])
  const pid = Number(fs.readFileSync(pidFile, 'utf8'))
  await waitUntil(async () => (await identify(pid)) === undefined, 'the grandchild is gone')
})

test('a program that ends in time is not said to be late', async () => {
  const ran = await runProgram('true', [], { timeoutMs: 60_000 })
  assert.deepEqual([ran.timedOut, ran.exitCode], [false, 0])
})

test('a job left behind holds nobody up, and ends with the program', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const ran = await runProgram('/bin/sh', ['-c', `sleep 1000 & echo $! > '${pidFile}'; echo done; exit 5`], {
    timeoutMs: 60_000,
  })
  assert.deepEqual([ran.timedOut, ran.exitCode, ran.stdout], [false, 5, 'done\n'])
  const pid = Number(fs.readFileSync(pidFile, 'utf8'))
  await waitUntil(async () => (await identify(pid)) === undefined, 'the job is gone')
})

test('a daemon that has left the group and holds the pipes holds nobody up', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  // The daemon has left the group once it has written its number.
  const daemon = `setsid sh -c 'echo $$ > "${pidFile}"; exec sleep 1000' & while [ ! -s "${pidFile}" ]; do sleep 0.05; done`
  const ended = await runProgram('/bin/sh', ['-c', `${daemon}; echo done; exit 6`], { timeoutMs: 60_000 })
  process.kill(Number(fs.readFileSync(pidFile, 'utf8')), 'SIGKILL')
  assert.deepEqual([ended.timedOut, ended.exitCode, ended.stdout], [false, 6, 'done\n'])
})

test('a deadline holds against a daemon that has left the group', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const script = `setsid sh -c 'echo $$ > "${pidFile}"; exec sleep 1000' & sleep 1000`
  const ran = await runProgram('/bin/sh', ['-c', script], { timeoutMs: 1500 })
  process.kill(Number(fs.readFileSync(pidFile, 'utf8')), 'SIGKILL')
  assert.deepEqual([ran.timedOut, ran.exitCode], [true, undefined])
})
