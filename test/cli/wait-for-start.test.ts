import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { waitForFirstAnswer } from '#cli/wait-for-start.ts'
import { readDefaultConfig } from '#host/config'
import { createTestSession } from '../fixtures/new-session.ts'

test('Ctrl-c before the first answer is exit 130, and says also with --json how to go on', async t => {
  const session = createTestSession(t, { id: '2026-11-21-say-abcd' })
  const config = readDefaultConfig({ DISPATCH_HOME: path.dirname(path.dirname(session.paths.folder)) })
  const said: string[] = []
  t.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0)
  const waiting = waitForFirstAnswer(session, config, () => undefined) // --json says nothing.
  process.emit('SIGINT')
  await assert.rejects(waiting, { exitCode: 130 })
  assert.match(said.join(''), /dispatch watch abcd/)
})
