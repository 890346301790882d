import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findRoom, takesPlace } from '#cli/queue/load.ts'
import { withQueue } from '#cli/queue/open.ts'
import { readDefaultConfig } from '#host/config'
import { appendEvent, type EventBody } from '#session/log'
import { initialStatus, type SessionStatus } from '#session/status'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession } from '../../fixtures/web-sessions.ts'

const now = new Date('2026-12-01T03:00:00.000Z')

test('a session takes a place until it has its verdict, sleeps or has ended', () => {
  const takes = (changes: Partial<SessionStatus>, runnerLiveness: 'alive' | 'dead' | 'elsewhere' = 'alive') =>
    takesPlace({ status: { ...initialStatus, ...changes }, runnerLiveness }, { SLEEP_AFTER_SEC: 3600 }, now)
  for (const phase of ['opening', 'planning', 'working', 'judging', 'asking', 'needs you'] as const)
    assert.equal(takes({ phase }), true, phase)
  for (const phase of ['PASS', 'FAIL', 'INCONCLUSIVE', 'failed'] as const) assert.equal(takes({ phase }), false, phase)
  assert.equal(takes({ phase: 'working' }, 'dead'), true, 'it is taken up')
  assert.equal(takes({ phase: 'asking' }, 'dead'), false, 'it sleeps')
  assert.equal(takes({ phase: 'working' }, 'elsewhere'), false)
  const closed = { actor: 'you', reason: 'dispatch stop' } as SessionStatus['closed']
  assert.equal(takes({ phase: 'working', closed }), false)
})

test('a session that waits for a person for long gives its place away, unless it may go on by itself', () => {
  const takes = (changes: Partial<SessionStatus>, SLEEP_AFTER_SEC = 3600) => {
    const status = {
      ...initialStatus,
      phase: 'asking' as const,
      phaseStartedAt: '2026-12-01T01:00:00.000Z',
      ...changes,
    }
    return takesPlace({ status, runnerLiveness: 'alive' }, { SLEEP_AFTER_SEC }, now)
  }
  assert.equal(takes({}), false, 'its deadline keeps it awake')
  assert.equal(takes({ phase: 'needs you' }), false)
  assert.equal(takes({ phaseStartedAt: '2026-12-01T02:30:00.000Z' }), true, 'not yet an hour')
  assert.equal(takes({ phase: 'working' }), true)
  assert.equal(takes({}, 0), true, 'none sleeps')
  assert.equal(takes({ usageLimit: { reason: 'limit', resetsAt: null } }), true)
  const worker = { name: 'hello', queuedAt: '2026-12-01T00:59:00.000Z' } as SessionStatus['workers'][number]
  assert.equal(takes({ workers: [worker] }), true)
})

test('the cap on dollars counts what was spent in the last 24 hours', async t => {
  const config = { ...readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) }), MAX_USD_DAY: 1 }
  const cost = (usd: number): EventBody => ({ type: 'cost.reported', usd, runUsd: usd })
  const old = { minutesAgo: 26 * 60, events: [cost(90)] }
  const { paths } = await createTestSession(config.workspace, '2026-11-30-old-a001', old)
  await createTestSession(config.workspace, '2026-11-30-old-a002', old)
  await createTestSession(config.workspace, '2026-12-01-new-a003', { events: [cost(3)] })
  const readReason = () => withQueue(config, async queue => (await findRoom(config, queue)).reason)
  assert.match(await readReason(), /^\$3\.00 spent in 24 hours/)
  appendEvent(paths.events, cost(92), 9, new Date())
  assert.match(await readReason(), /^\$5\.00 spent in 24 hours/)
})
