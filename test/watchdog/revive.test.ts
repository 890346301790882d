import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Liveness } from '#host/process'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { isOrphan } from '#watchdog'
import { createTestSession } from '../fixtures/new-session.ts'

const openedAt = '2026-11-20T00:00:00.000Z'
const nowMs = Date.parse(openedAt) + 60_000
const closed = { actor: 'you', reason: '' }

it('a session needs a runner if its own is certainly dead and it is not finished', t => {
  const session = createTestSession(t, { openedAt })
  const createView = (status: Partial<SessionStatus>, runnerLiveness: Liveness = 'dead'): SessionView => ({
    session,
    status: { ...initialStatus, lastSeq: 5, lastEventAt: openedAt, ...status },
    runnerLiveness,
    unreadableLines: 0,
    state: '',
  })
  const cases: [view: SessionView, isTerminalOpen: boolean, expected: boolean][] = [
    [createView({ phase: 'working' }), false, true],
    [createView({ phase: 'working' }, 'unknown'), true, false],
    [createView({ phase: 'working' }, 'alive'), true, false],
    [createView({ phase: 'failed' }), true, false],
    [createView({ phase: 'working', closed }), true, false],
    [createView({ phase: 'asking' }), true, true],
    [createView({ phase: 'asking' }), false, false],
    [createView({ phase: 'needs you' }), true, true],
    [createView({ phase: 'PASS' }), true, true],
    [createView({ phase: 'PASS' }), false, false],
    [createView({ phase: 'working', lastEventAt: new Date(nowMs - 1000).toISOString() }), true, false],
    [createView({ phase: 'opening', lastSeq: 0, lastEventAt: new Date(nowMs - 5000).toISOString() }), true, false],
  ]
  for (const [view, isTerminalOpen, expected] of cases) {
    const about = `${view.status.phase} ${view.runnerLiveness} ${isTerminalOpen}`
    assert.equal(isOrphan(view, { nowMs, isTerminalOpen }), expected, about)
  }
})

it('a runner that dies repeatedly is restarted after longer and longer delays', t => {
  const session = createTestSession(t, { openedAt })
  const isDue = (consecutiveRestarts: number, secondsAgo: number) => {
    const lastEventAt = new Date(nowMs - secondsAgo * 1000).toISOString()
    const lastRestart = { time: lastEventAt, consecutiveRestarts }
    const status: SessionStatus = { ...initialStatus, phase: 'working', lastSeq: 5, lastEventAt, lastRestart }
    const view: SessionView = { session, status, runnerLiveness: 'dead', unreadableLines: 0, state: '' }
    return isOrphan(view, { nowMs, isTerminalOpen: true })
  }
  assert.deepEqual([isDue(1, 3), isDue(1, 5)], [false, true])
  assert.deepEqual([isDue(3, 14), isDue(3, 17)], [false, true])
  assert.deepEqual([isDue(30, 299), isDue(30, 301)], [false, true])
  assert.ok(isDue(30, 601), 'after ten minutes the count starts again')
})
