import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { readDefaultConfig } from '#host/config'
import type { Liveness } from '#host/process'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { classifyNeed, startSuccessors } from '#watchdog'
import { createTestSession } from '../fixtures/new-session.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

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

/** Sessions that have lost everything, oldest first, and a home without a terminal. */
function createLost(t: TestContext, count: number) {
  const views = Array.from({ length: count }, (_, index): SessionView => {
    const session = createTestSession(t, { openedAt, id: `20261121-say-000${index}` })
    const status: SessionStatus = { ...initialStatus, phase: 'working', lastSeq: 5, lastEventAt: openedAt }
    return { session, status, runnerLiveness: 'dead', unreadableLines: 0, state: '' }
  })
  return { views, config: readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) }) }
}
const getEnds = (ids: string[]) => ids.map(id => id.slice(-1)).join('')

it('the oldest are taken up first, as many as there is room for, and the wanted one in any case', async t => {
  const { views, config } = createLost(t, 5)
  const room = { slots: 2, maxTakenUp: 9, wanted: '20261121-say-0004' }
  const { started, waiting } = await startSuccessors(views, config, async () => true, room)
  assert.deepEqual([getEnds(started), getEnds(waiting)], ['014', '23'])
})

it('a session that another process has just started takes its place all the same', async t => {
  const { views, config } = createLost(t, 5)
  const start = async ({ id }: { id: string }) => id > '20261121-say-0001'
  const { started } = await startSuccessors(views, config, start, { slots: 3, maxTakenUp: 9 })
  assert.equal(getEnds(started), '2')
})

it('a session that cannot be started keeps no other one from it, and is tried less and less often', async t => {
  const { views, config } = createLost(t, 2)
  const start = async ({ id }: { id: string }) => {
    if (id.endsWith('0')) throw new Error('tmux refuses')
    return true
  }
  const room = { slots: 9, maxTakenUp: 9, tries: new Map() }
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const first = await startSuccessors(views, config, start, room)
  assert.deepEqual([getEnds(first.started), first.failures.length], ['1', 1])
  t.mock.timers.setTime(Date.now() + 3_600_000) // A clock that is set changes nothing.
  const second = await startSuccessors(views, config, start, room)
  assert.deepEqual([getEnds(second.waiting), second.failures.length], ['01', 0])
})
