import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { appendEvent } from '#session/log'
import { createTestSession } from '../../fixtures/new-session.ts'

test('ls has the size of what has ended, also of a start that failed', async t => {
  const { paths } = createTestSession(t, { id: '2026-11-21-say-abcd' })
  const home = path.dirname(path.dirname(paths.folder))
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const readSize = async () => {
    const program = path.join(import.meta.dirname, '../../../bin/dispatch')
    const listed = await runProgram('/bin/sh', [program, 'ls', '--json'], { env, cwd: home })
    return (JSON.parse(listed.stdout) as { bytes: number | null }[])[0]?.bytes
  }
  assert.equal(await readSize(), null)
  appendEvent(paths.events, { type: 'start.failed', reason: 'no login', exitCode: 7 }, 0, new Date())
  assert.ok(((await readSize()) ?? 0) > 1000)
})

test('a filter leaves out what cannot be read, unless that is asked for; an unknown state is exit 2', async t => {
  const { paths, id } = createTestSession(t, { id: '2026-11-21-say-abcd' })
  appendEvent(paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 0, new Date())
  const workspace = path.dirname(paths.folder)
  const broken = '2026-11-21-say-efgh'
  fs.mkdirSync(path.join(workspace, broken, 'session.json'), { recursive: true })
  const home = path.dirname(workspace)
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, DISPATCH_HOME: home, DISPATCH_DEV: '1' }
  const program = path.join(import.meta.dirname, '../../../bin/dispatch')
  const list = async (...options: string[]) => {
    const { exitCode, stdout } = await runProgram('/bin/sh', [program, 'ls', '--json', ...options], { env, cwd: home })
    return exitCode === 0 ? (JSON.parse(stdout) as { id: string }[]).map(each => each.id) : exitCode
  }
  assert.deepEqual(await list(), [id, broken])
  assert.deepEqual(await list('--state', 'Stopped, PASS (void)'), [id])
  assert.deepEqual(await list('--search', 'nothing like it'), [])
  assert.deepEqual(await list('--state', 'unreadable'), [broken])
  assert.deepEqual(await list('--state', 'stopped,unreadable'), [id, broken])
  assert.equal(await list('--state', 'passed'), 2)
  assert.equal(await list('--state', 'stopped (void)'), 2)
})
