import assert from 'node:assert/strict'
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
