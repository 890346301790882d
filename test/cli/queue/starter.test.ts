import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { withQueue } from '#cli/queue/open.ts'
import { buildRetryOptions, placeOptions, readRefusal, runQueue } from '#cli/queue/starter.ts'
import { readDefaultConfig } from '#host/config'
import type { EventBody } from '#session/log'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession, createVerdictEvent } from '../../fixtures/web-sessions.ts'

test('the next attempt is told of each session that came to something, and of none that never started', async t => {
  const workspace = path.join(createScratchFolder(t), 'workspace')
  const failed: EventBody = { type: 'start.failed', reason: 'no login', exitCode: 7 }
  const retryOf = { session: '2026-11-20-a-a001', outcome: 'FAIL: why', findings: ['a'], context: '' }
  await createTestSession(workspace, '2026-11-20-a-a001', { events: [createVerdictEvent('FAIL', 'why')] })
  await createTestSession(workspace, '2026-11-20-a-a002', { events: [failed] })
  await createTestSession(workspace, '2026-11-20-a-a003', { events: [failed], manifest: { retryOf } })
  const build = (previousSessionId: string | null) => buildRetryOptions({ previousSessionId }, workspace)
  for (const id of ['2026-11-20-a-a001', '2026-11-20-a-a003']) assert.deepEqual(build(id), ['--retry', id])
  for (const id of ['2026-11-20-a-a002', '2026-11-20-a-gone', null]) assert.deepEqual(build(id), [])
})

test('where the folder of a task is not on the branch any more, its session starts at the top of the repository', t => {
  const repository = createScratchFolder(t)
  const place = (folder: string) => placeOptions({ repository, options: ['--repo', folder, '--approve'] })
  assert.deepEqual(place(path.join(repository, 'gone')), ['--repo', repository, '--approve'])
  assert.deepEqual(place(repository), ['--repo', repository, '--approve'])
  assert.deepEqual(placeOptions({ repository: null, options: ['--no-repo'] }), ['--no-repo'])
})

test('a notification that cannot be written keeps nothing from starting', async t => {
  const home = createScratchFolder(t)
  const config = { ...readDefaultConfig({ DISPATCH_HOME: home }), NTFY_TOPIC: 'a-topic-that-is-long-enough' }
  await withQueue(config, async queue => {
    await queue.enqueue([createItem()])
    const room = { capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 1 }
    const [claim] = await queue.claim({ process: await identifySelf(), ...room })
    assert.ok(claim)
    await queue.settle(claim, { kind: 'needs you', reason: 'why' })
  })
  fs.mkdirSync(path.join(home, 'queue-told.json'))
  const lines: string[] = []
  assert.deepEqual(await runQueue(config, line => void lines.push(line)), [])
  assert.ok(
    lines.length > 0 && lines.every(line => line.startsWith('a notification could not be queued')),
    lines.join(),
  )
})

test('an item says why its start was refused and what helps, and no notice that came before', () => {
  const notice = 'dispatch: TMPDIR: /gone does not exist, so /tmp is used\n'
  const refusal = 'dispatch: git is not installed, or not on PATH\n  Install it: `apt-get install git`.\n'
  const read = 'git is not installed, or not on PATH. Install it: `apt-get install git`.'
  assert.equal(readRefusal(notice + refusal), read)
  assert.equal(
    readRefusal('dispatch: invalid settings:\n  ROUNDS must be a number\n'),
    'invalid settings: ROUNDS must be a number',
  )
  assert.equal(readRefusal('Error: no\n    at Module._compile (node:internal)\n'), 'Error: no')
  assert.equal(readRefusal(''), '')
})
