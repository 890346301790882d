import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { createScratchFolder, HANG_MS } from '../fixtures/scratch.ts'
import { whyNotLinux } from '../fixtures/skip-reasons.ts'

/** Runs in a mount namespace of its own, with a disk of 2 MB that it fills. Prints what it finds as JSON. */
const script = `
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import { once } from 'node:events'
import { readConfig } from '#host/config'
import { stopSession } from '#runner'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { createTestSession } from './test/fixtures/web-sessions.ts'
const home = process.argv[1]
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', home])
const config = readConfig({ DISPATCH_HOME: home })
const session = await createTestSession(config.workspace, '2026-11-20-fix-a003')
const agent = spawn('sleep', ['1000'], { detached: true, env: { ...process.env, DISPATCH_SESSION: session.id } })
const ended = once(agent, 'exit')
try { fs.writeFileSync(home + '/ballast', Buffer.alloc(4 << 20)) } catch (error) { if (error.code !== 'ENOSPC') throw error }
const refused = await stopSession(session, config).then(() => null, error => error)
await ended
const readClosed = () => computeStatus(readLog(session.paths.events).events).closed?.reason ?? null
const before = readClosed()
fs.rmSync(home + '/ballast')
await stopSession(session, config)
const { exitCode, message, remedy } = refused
fs.writeSync(3, JSON.stringify({ exitCode, message, remedy, before, after: readClosed() }))
`

test('on a full disk every process ends first, and the log says so once there is space', {
  skip: whyNotLinux,
}, async t => {
  const node = [process.execPath, '--input-type=module', '-e', script, createScratchFolder(t)]
  const line = '"$@" 3>&1 >&2'
  const run = await runProgram('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', line, 'sh', ...node], {
    cwd: path.join(import.meta.dirname, '../..'),
    timeoutMs: HANG_MS,
  })
  if (/unshare|mount:/.test(run.stderr) && run.stdout === '') return t.skip(`no namespaces here: ${run.stderr.trim()}`)
  assert.equal(run.exitCode, 0, run.stderr)
  const { exitCode, message, remedy, before, after } = JSON.parse(run.stdout)
  assert.equal(exitCode, 10)
  assert.match(message, /^every process of session 2026-11-20-fix-a003 has ended, but .*the disk is full/)
  assert.match(remedy, /dispatch stop a003/)
  assert.deepEqual([before, after], [null, 'dispatch stop'])
})
