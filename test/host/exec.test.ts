import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { readIfPresent } from '#host/fs'
import { identify } from '#host/process'
import { createScratchFolder, waitUntil, withEnoughTime } from '../fixtures/scratch.ts'
import { whyNotLinux } from '../fixtures/skip-reasons.ts'

const node = (script: string, ...args: string[]): [string, string[]] => [
  process.execPath,
  ['-e', script, '--', ...args],
]

test('arguments arrive unchanged, and no shell reads them', async t => {
  const folder = createScratchFolder(t)
  const args = ['', 'a b', '$(touch X)', '`touch X`', ';', '&& touch X', "'", '"', '\\', '*', '~', 'ü😀', '\n', '-x']
  const result = await runProgram(...node('process.stdout.write(JSON.stringify(process.argv.slice(1)))', ...args), {
    cwd: folder,
  })
  assert.deepEqual(JSON.parse(result.stdout), args)
  assert.deepEqual(fs.readdirSync(folder), [])
})

test('a result has the exit code or the signal, and both outputs', async () => {
  const table: [string, number | undefined, string | undefined][] = [
    ['exit 0', 0, undefined],
    ['exit 3', 3, undefined],
    ['kill -TERM $$', undefined, 'SIGTERM'],
    ['kill -KILL $$', undefined, 'SIGKILL'],
  ]
  for (const [script, code, signal] of table) {
    const result = await runProgram('/bin/sh', ['-c', `echo out; echo err >&2; ${script}`])
    assert.deepEqual(
      [result.exitCode, result.signal, result.timedOut, result.startError],
      [code, signal, false, undefined],
      script,
    )
    assert.deepEqual([result.stdout, result.stderr], ['out\n', 'err\n'])
  }
})

test('a program that cannot start is a result, not an exception', async t => {
  const folder = createScratchFolder(t)
  fs.writeFileSync(path.join(folder, 'plain'), 'x')
  const table: [program: string, cwd: string, startError: string, command?: string][] = [
    ['no-such-program', folder, 'ENOENT'],
    [path.join(folder, 'plain'), folder, 'EACCES'],
    [folder, folder, 'EACCES'],
    ['/bin/sh', path.join(folder, 'nowhere'), 'ENOENT'],
    ['/bin/sh', path.join(folder, 'plain'), 'ENOTDIR'],
    ['/bin/sh', folder, 'E2BIG', `: ${'x'.repeat(4 * 1024 * 1024)}`],
  ]
  for (const [program, cwd, startError, command = 'true'] of table) {
    const result = await runProgram(program, ['-c', command], { cwd })
    assert.deepEqual([result.startError, result.exitCode, result.stdout], [startError, undefined, ''], program)
  }
})

test('only the given environment is passed on', async () => {
  process.env['DISPATCH_TEST_SECRET'] = 'secret'
  const script = 'process.stdout.write(JSON.stringify(process.env))'
  const given = JSON.parse((await runProgram(...node(script), { env: { GIVEN: '1' } })).stdout)
  const inherited = JSON.parse((await runProgram(...node(script))).stdout)
  delete process.env['DISPATCH_TEST_SECRET']
  assert.deepEqual([given.GIVEN, given.DISPATCH_TEST_SECRET, given.PATH], ['1', undefined, undefined])
  assert.equal(inherited.DISPATCH_TEST_SECRET, 'secret', 'without one, the environment is inherited')
})

test('input arrives whole, or is not read at all', async () => {
  const input = 'zwölf\n'.repeat(100_000)
  assert.equal((await runProgram('cat', [], { input })).stdout, input)
  assert.deepEqual((await runProgram('true', [], { input })).exitCode, 0)
  assert.equal((await runProgram('cat', [], { input: '' })).stdout, '')
  assert.equal((await runProgram('cat', [])).stdout, '')
})

test('output is kept up to the limit, and the program runs on', async () => {
  const result = await runProgram('/bin/sh', ['-c', 'head -c 3000000 /dev/zero; echo end >&2; exit 4'], {
    maxOutputBytes: 1000,
  })
  assert.deepEqual([result.stdout.length, result.stderr, result.exitCode], [1000, 'end\n', 4])
})

test('of a long output the beginning and the end are kept', async () => {
  const script = 'seq 1000000; printf "%s" done'
  const { stdout } = await runProgram('/bin/sh', ['-c', script], { maxOutputBytes: 1000, keepsEnd: true })
  assert.match(stdout, /^1\n2\n/)
  assert.match(stdout, /\n\[6887900 bytes are left out\]\n/)
  assert.match(stdout, /1000000\ndone$/)
  const { stdout: whole } = await runProgram('/bin/sh', ['-c', 'seq 200'], { maxOutputBytes: 1000, keepsEnd: true })
  assert.equal(whole, (await runProgram('seq', ['200'])).stdout)
})

test('at the timeout the program and its children end, and the output is kept', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const script = `echo before; sleep 1000 & echo $! > '${pidFile}'; wait`
  await withEnoughTime(async limitMs => {
    const result = await runProgram('/bin/sh', ['-c', script], { timeoutMs: limitMs })
    assert.deepEqual([result.timedOut, result.exitCode], [true, undefined])
    const pid = Number(readIfPresent(pidFile))
    if (pid === 0) return false
    assert.equal(result.stdout, 'before\n')
    await waitUntil(async () => (await identify(pid)) === undefined, 'the grandchild is gone')
    return true
  })
})

test('a program that ends in time has not timed out', async () => {
  const result = await runProgram('true', [], { timeoutMs: 60_000 })
  assert.deepEqual([result.timedOut, result.exitCode], [false, 0])
})

test('a background job does not block, and ends with the program', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const result = await runProgram('/bin/sh', ['-c', `sleep 1000 & echo $! > '${pidFile}'; echo done; exit 5`], {
    timeoutMs: 60_000,
  })
  assert.deepEqual([result.timedOut, result.exitCode, result.stdout], [false, 5, 'done\n'])
  const pid = Number(fs.readFileSync(pidFile, 'utf8'))
  await waitUntil(async () => (await identify(pid)) === undefined, 'the job is gone')
})

test('a daemon that left the group and holds the pipes does not block', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  // The daemon has left the group when it has written its pid.
  const daemon = `setsid sh -c 'echo $$ > "${pidFile}"; exec sleep 1000' & while [ ! -s "${pidFile}" ]; do sleep 0.05; done`
  const result = await runProgram('/bin/sh', ['-c', `${daemon}; echo done; exit 6`], { timeoutMs: 60_000 })
  process.kill(Number(fs.readFileSync(pidFile, 'utf8')), 'SIGKILL')
  assert.deepEqual([result.timedOut, result.exitCode, result.stdout], [false, 6, 'done\n'])
})

test('a timeout also ends the wait for a daemon that left the group', async t => {
  const pidFile = path.join(createScratchFolder(t), 'pid')
  const script = `setsid sh -c 'echo $$ > "${pidFile}"; exec sleep 1000' & sleep 1000`
  await withEnoughTime(async limitMs => {
    const result = await runProgram('/bin/sh', ['-c', script], { timeoutMs: limitMs })
    assert.deepEqual([result.timedOut, result.exitCode], [true, undefined])
    const pid = Number(readIfPresent(pidFile))
    if (pid > 0) process.kill(pid, 'SIGKILL')
    return pid > 0
  })
})

test('the output of a program is whole, also if this process was busy as it ended', { skip: whyNotLinux }, async t => {
  const cwd = createScratchFolder(t)
  let slow: ChildProcess | undefined
  const slowRun = runProgram('/bin/sh', ['-c', 'until [ -e go ]; do sleep 0.02; done; echo whole'], {
    cwd,
    moreFiles: { stdio: [], read: child => (slow = child) },
  })
  // Its end is noticed together with that of this one, before its output was read.
  const quickRun = runProgram('/bin/sh', ['-c', 'echo quick'], {
    moreFiles: {
      stdio: [],
      read(quick) {
        quick.stdout?.once('data', () => {
          fs.writeFileSync(path.join(cwd, 'go'), '')
          blockUntilEnded(slow)
        })
        slow?.once('exit', () => process.nextTick(block, 400))
        blockUntilEnded(quick)
      },
    },
  })
  assert.equal((await quickRun).stdout, 'quick\n')
  assert.equal((await slowRun).stdout, 'whole\n')
})

function blockUntilEnded(child: ChildProcess | undefined): void {
  while (!/\) Z /.test(readIfPresent(`/proc/${child?.pid}/stat`) ?? ') Z ')) block(5)
}

/** Let nothing else run in this process. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
