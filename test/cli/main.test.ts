import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
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
