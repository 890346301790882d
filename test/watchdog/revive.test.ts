import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Liveness } from '#host/process'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { classifyNeed } from '#watchdog'
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
  const cases: [view: SessionView, isTerminalOpen: boolean, expected: 'now' | 'later' | 'none'][] = [
    [createView({ phase: 'working' }), false, 'now'],
    [createView({ phase: 'working' }, 'unknown'), true, 'none'],
    [createView({ phase: 'working' }, 'alive'), true, 'none'],
    [createView({ phase: 'failed' }), true, 'none'],
    [createView({ phase: 'working', closed }), true, 'none'],
    [createView({ phase: 'asking' }), true, 'now'],
    [createView({ phase: 'asking' }), false, 'none'],
    [createView({ phase: 'needs you' }), true, 'now'],
    [createView({ phase: 'PASS' }), true, 'now'],
    [createView({ phase: 'PASS' }), false, 'none'],
    [createView({ phase: 'working', lastEventAt: new Date(nowMs - 1000).toISOString() }), true, 'later'],
    // The clock was set back by a day: how long it is idle cannot be told.
    [createView({ phase: 'working', lastEventAt: new Date(nowMs + 86_400_000).toISOString() }), true, 'now'],
    [createView({ phase: 'opening', lastSeq: 0, lastEventAt: new Date(nowMs - 5000).toISOString() }), true, 'later'],
  ]
  for (const [view, isTerminalOpen, expected] of cases) {
    const about = `${view.status.phase} ${view.runnerLiveness} ${isTerminalOpen}`
    assert.equal(classifyNeed(view, { nowMs, isTerminalOpen }), expected, about)
  }
})

it('a runner that dies repeatedly is restarted after longer and longer delays', t => {
  const session = createTestSession(t, { openedAt })
  const isDue = (inARow: number, secondsAgo: number) => {
    const lastEventAt = new Date(nowMs - secondsAgo * 1000).toISOString()
    const lastRestart = { time: lastEventAt, inARow }
    const status: SessionStatus = { ...initialStatus, phase: 'working', lastSeq: 5, lastEventAt, lastRestart }
    const view: SessionView = { session, status, runnerLiveness: 'dead', unreadableLines: 0, state: '' }
    return classifyNeed(view, { nowMs, isTerminalOpen: true }) === 'now'
  }
  assert.deepEqual([isDue(1, 3), isDue(1, 5)], [false, true])
  assert.deepEqual([isDue(3, 14), isDue(3, 17)], [false, true])
  assert.deepEqual([isDue(30, 299), isDue(30, 301)], [false, true])
  assert.ok(isDue(30, 601), 'after ten minutes the count starts again')
})
