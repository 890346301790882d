import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Liveness } from '#host/process'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { isOrphan } from '#watchdog'

const old = '2026-11-20T00:00:00.000Z'
const view = (status: Partial<SessionStatus>, runner: Liveness = 'dead') =>
  ({
    session: { manifest: { openedAt: old } },
    status: { ...initialStatus, lastSeq: 5, lastEventAt: old, ...status },
    runnerLiveness: runner,
    unread: 0,
    state: '',
  }) as unknown as SessionView

it('a session that lost its runner for certain gets one; nobody acts on unknown, on a closed one, or too soon', () => {
  const now = Date.parse(old) + 60_000
  const cases: [SessionView, boolean, boolean][] = [
    [view({ phase: 'working' }), false, true],
    [view({ phase: 'working' }, 'unknown'), true, false],
    [view({ phase: 'working' }, 'alive'), true, false],
    [view({ phase: 'failed' }), true, false],
    [view({ phase: 'working', closed: { actor: 'you', reason: '' } }), true, false],
    [view({ phase: 'asking' }), true, true],
    [view({ phase: 'asking' }), false, false],
    [view({ phase: 'needs you' }), true, true],
    [view({ phase: 'PASS' }), true, true],
    [view({ phase: 'PASS' }), false, false],
  ]
  for (const [candidate, open, expected] of cases)
    assert.equal(
      isOrphan(candidate, { now, open }),
      expected,
      `${candidate.status.phase} ${candidate.runnerLiveness} ${open}`,
    )
  assert.equal(
    isOrphan(view({ phase: 'working', lastEventAt: new Date(now - 1000).toISOString() }), { now, open: true }),
    false,
  )
  const died = (consecutiveRestarts: number, ago: number) => {
    const lastEventAt = new Date(now - ago * 1000).toISOString()
    return isOrphan(view({ phase: 'working', lastEventAt, lastRestart: { time: lastEventAt, consecutiveRestarts } }), {
      now,
      open: true,
    })
  }
  assert.deepEqual(
    [died(1, 3), died(1, 5), died(3, 14), died(3, 17), died(30, 299), died(30, 301)],
    [false, true, false, true, false, true],
  )
  assert.equal(died(30, 601), true)
  assert.equal(
    isOrphan(view({ phase: 'opening', lastSeq: 0, lastEventAt: '' }), { now: Date.parse(old) + 5000, open: true }),
    false,
  )
})
