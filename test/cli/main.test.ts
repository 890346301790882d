import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { installFolder } from '#host/config'
import { exitCodes, signalExitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { appendEvent } from '#session/log'
import { createTestSession } from '../fixtures/new-session.ts'
import { entryPoint } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

const whyNoFullDevice = fs.existsSync('/dev/full') ? false : 'it needs /dev/full: run it on Linux'

test('an output that cannot be written is exit 10, and is said', { skip: whyNoFullDevice }, async t => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: createScratchFolder(t), DISPATCH_DEV: '1' }
  const run = await runProgram('/bin/sh', ['-c', `'${entryPoint}' --help > /dev/full`], { env, cwd: '/' })
  assert.equal(run.exitCode, 10)
  assert.match(run.stderr, /^dispatch: the output cannot be written: ENOSPC/)
})

test('a folder for temporary files that is missing is replaced, by every command', async t => {
  const home = createScratchFolder(t)
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    DISPATCH_HOME: home,
    DISPATCH_DEV: '1',
    TMPDIR: '/nowhere',
  }
  const run = await runProgram(entryPoint, ['ls'], { env, cwd: '/' })
  assert.equal(run.exitCode, 0, run.stderr)
  assert.match(run.stderr, /^dispatch: TMPDIR: \/nowhere does not exist, so \/tmp is used$/m)
})

test('without a reader, a command ends with its verdict, or with 141 before there is one; others with 0', async t => {
  const [open, closed] = ['2026-11-21-say-abcd', '2026-11-21-say-efgh'].map(id => createTestSession(t, { id }))
  assert.ok(open && closed)
  appendEvent(closed.paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 0, new Date())
  const run = async (session: typeof open, ...args: string[]) => {
    const home = path.dirname(path.dirname(session.paths.folder))
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
    const child = spawn('/bin/sh', [entryPoint, ...args], { env, cwd: home, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.destroy()
    return (await once(child, 'exit'))[0]
  }
  assert.equal(await run(open, 'ls'), 0)
  assert.equal(await run(open, 'watch'), 141)
  assert.equal(await run(closed, 'wait'), 12)
})

test('the help has every exit code', async t => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: createScratchFolder(t), DISPATCH_DEV: '1' }
  const { stdout } = await runProgram(entryPoint, ['--help'], { env, cwd: '/' })
  const table = stdout.slice(stdout.indexOf('Exit codes:'))
  for (const code of [...Object.values(exitCodes), ...Object.values(signalExitCodes)])
    assert.match(table, new RegExp(`(^|[ ;])${code} `, 'm'), `${code}`)
})

test('an error shows the words of others without what would move the cursor, change the screen or hide text', async t => {
  const program = (thrown: string) =>
    `import { main } from '#cli/main.ts'
     import { DispatchError } from '#host/error.ts'
     await main(async () => { throw ${thrown} })`
  const env = { PATH: process.env['PATH'] ?? '', HOME: createScratchFolder(t) }
  const print = async (thrown: string) => {
    const args = ['--input-type=module', '--eval', program(thrown)]
    return runProgram(process.execPath, args, { env, cwd: installFolder })
  }
  const claimed = await print(
    `new DispatchError('#1 is claimed by a\\u001b[2Jb\\u202e', { exitCode: 5, remedy: 'ask\\u001b]52;c;eA==\\u0007\\nor wait' })`,
  )
  assert.equal(claimed.exitCode, 5, claimed.stderr)
  assert.equal(
    claimed.stderr,
    'dispatch: #1 is claimed by a\\u{1b}[2Jb\\u{202e}\n  ask\\u{1b}]52;c;eA==\\u{7}\nor wait\n',
  )
  const bug = await print(`new Error('a\\u001b[2Jb')`)
  assert.equal(bug.exitCode, 1, bug.stderr)
  assert.match(bug.stderr, /^dispatch: internal error, please report it\nError: a\\u\{1b\}\[2Jb\n {4}at /)
})
