import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takesPlace } from '#cli/queue/load.ts'
import { initialStatus, type SessionStatus } from '#session/status'

test('a session takes a place until it has its verdict, sleeps or has ended', () => {
  const takes = (changes: Partial<SessionStatus>, runnerLiveness: 'alive' | 'dead' | 'elsewhere' = 'alive') =>
    takesPlace({ status: { ...initialStatus, ...changes }, runnerLiveness })
  for (const phase of ['opening', 'planning', 'working', 'judging', 'asking', 'needs you'] as const)
    assert.equal(takes({ phase }), true, phase)
  for (const phase of ['PASS', 'FAIL', 'INCONCLUSIVE', 'failed'] as const) assert.equal(takes({ phase }), false, phase)
  assert.equal(takes({ phase: 'working' }, 'dead'), true, 'it is taken up')
  assert.equal(takes({ phase: 'asking' }, 'dead'), false, 'it sleeps')
  assert.equal(takes({ phase: 'working' }, 'elsewhere'), false)
  const closed = { actor: 'you', reason: 'dispatch stop' } as SessionStatus['closed']
  assert.equal(takes({ phase: 'working', closed }), false)
})
