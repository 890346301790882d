import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decideFailedStart, decideOutcome, settleClosed, settleEnded } from '#cli/queue/settle.ts'
import { readDefaultConfig } from '#host/config'
import { openQueue } from '#queue'
import type { Session } from '#session'
import { appendEvent, type EventBody, readLog } from '#session/log'
import { prepareRepository } from '#session/repository'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { acquireDaemonLease } from '#watchdog'
import { blankManifest } from '../../fixtures/blank-manifest.ts'
import { createItem, identifySelf } from '../../fixtures/queue-contract.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createQueuedEvent, createTestSession, createVerdictEvent } from '../../fixtures/web-sessions.ts'

const now = new Date('2026-11-30T12:00:00Z')
const session = { id: '2026-11-30-a-b3f9', manifest: blankManifest } as Session
const decide = (status: Partial<SessionStatus>, view: Partial<SessionView> = {}) =>
  decideOutcome(
    {
      session,
      status: { ...initialStatus, ...status },
      runnerLiveness: 'alive',
      unreadableLines: 0,
      state: 'x',
      ...view,
    },
    now,
  )
const verdict = (word: 'PASS' | 'FAIL' | 'INCONCLUSIVE', isFinal = true) =>
  ({ phase: word, verdict: { round: 1, verdict: word, reason: 'why', isFinal } }) as Partial<SessionStatus>

test('an attempt goes on while its session does', () => {
  for (const phase of ['opening', 'planning', 'working', 'judging', 'asking', 'needs you'] as const)
    assert.equal(decide({ phase }), undefined, phase)
  assert.equal(decide(verdict('FAIL', false)), undefined, 'a round that is not the last')
  assert.equal(decide({ ...verdict('PASS'), phase: 'working' }), undefined, 'the person asked for more')
  assert.equal(decide(verdict('PASS'), { otherHost: 'elsewhere' }), undefined)
})

test('a verdict ends it', () => {
  assert.deepEqual(decide(verdict('PASS')), { kind: 'done', reason: 'PASS' })
  assert.deepEqual(decide(verdict('FAIL')), { kind: 'failed', reason: 'FAIL: why' })
  assert.deepEqual(decide(verdict('INCONCLUSIVE')), {
    kind: 'needs you',
    reason: 'INCONCLUSIVE: why; dispatch show b3f9',
  })
  const { verdict: passed } = verdict('PASS')
  assert.ok(passed)
  const voided = { phase: 'PASS' as const, verdict: { ...passed, voidReason: 'a.txt changed' } }
  assert.deepEqual(decide(voided, { state: 'PASS (void)' }), {
    kind: 'needs you',
    reason: 'PASS (void): a.txt changed',
  })
})

test('a session that was closed, or never started', () => {
  const close = (actor: string) => decide({ phase: 'working', closed: { actor, reason: 'over' } })?.kind
  assert.equal(close('you'), 'cancelled')
  assert.equal(close('dispatch'), 'failed')
  const fail = (startExitCode: number) => decide({ phase: 'failed', problem: 'why', startExitCode })
  assert.deepEqual(fail(7), { kind: 'again', reason: 'why', notBefore: '2026-11-30T12:05:00.000Z' })
  assert.deepEqual(fail(13), { kind: 'failed', reason: 'why' })
})

test('a start that made no session', () => {
  const decideKind = (exitCode: number | undefined) => decideFailedStart(exitCode, 'why', { now, isPaused: false }).kind
  assert.deepEqual([2, 4, 5].map(decideKind), Array(3).fill('needs you'))
  assert.deepEqual([6, 7, 8, 10, 11, 124, 130, undefined].map(decideKind), Array(8).fill('again'))
  assert.deepEqual([1, 13].map(decideKind), Array(2).fill('failed'))
  assert.equal(decideFailedStart(5, 'paused', { now, isPaused: true }).kind, 'released', 'a pause came between')
})

/** By which a session goes on after a verdict. */
const work = createQueuedEvent('more', null)
const giveVerdict = (word: 'PASS' | 'FAIL' | 'INCONCLUSIVE') => createVerdictEvent(word, 'why')

/** An item whose session has come to a verdict, and ways to go on from there. */
async function openSettled(t: TestContext, word: 'FAIL' | 'INCONCLUSIVE') {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const session = await createTestSession(config.workspace, '2026-11-30-a-b3f9', {
    isAlive: true,
    manifest: { queueItem: { item: 'q-1', attempt: 1 } },
    events: [giveVerdict(word)],
  })
  await acquireDaemonLease(config.home) // So that no daemon is started.
  const queue = await openQueue(config.home, { readSessionEnd: async () => 'pending' })
  t.after(() => queue.close())
  await queue.enqueue([createItem()])
  const [claim] = await queue.claim({
    ...{ process: await identifySelf(), capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 1 },
  })
  assert.ok(claim)
  await queue.start(claim, session.id)
  const record = (...bodies: EventBody[]) => {
    for (const body of bodies)
      appendEvent(session.paths.events, body, readLog(session.paths.events).events.length, new Date())
  }
  const settle = async () => {
    await settleEnded(config, queue)
    const item = await queue.find('q-1')
    return [item?.state, item?.failures]
  }
  return { config, session, queue, record, settle }
}

test('an item that needs a person runs again with its session, and is done with its PASS', async t => {
  const { record, settle } = await openSettled(t, 'INCONCLUSIVE')
  assert.deepEqual(await settle(), ['needs you', 0])
  assert.deepEqual(await settle(), ['needs you', 0])
  record(work)
  assert.deepEqual(await settle(), ['running', 0])
  record(giveVerdict('PASS'))
  assert.deepEqual(await settle(), ['done', 0])
})

test('what the judge says later counts, whether the session is open or was closed', async t => {
  for (const word of ['PASS', 'FAIL'] as const) {
    const open = await openSettled(t, 'INCONCLUSIVE')
    await open.settle()
    open.record(giveVerdict(word))
    const expected = word === 'PASS' ? ['done', 0] : ['waiting', 1]
    assert.deepEqual(await open.settle(), expected)
    assert.deepEqual(await open.settle(), expected)
    const closed = await openSettled(t, 'INCONCLUSIVE')
    await closed.settle()
    closed.record({ type: 'session.closed', actor: 'dispatch', reason: '' }, giveVerdict(word))
    assert.deepEqual(await closed.settle(), ['needs you', 0], 'no look at what was closed')
    await settleClosed(closed.config, closed.session)
    assert.deepEqual(await closed.settle(), expected)
  }
})

test('nothing starts beside a session that failed and goes on', async t => {
  const { queue, record, settle } = await openSettled(t, 'FAIL')
  await queue.settle({ item: 'q-1', attempt: 1 }, { kind: 'failed', reason: 'FAIL: why' })
  assert.deepEqual(await settle(), ['waiting', 1])
  record(work)
  assert.deepEqual(await settle(), ['running', 1])
})

test('a session that cannot be read keeps no other from being settled', async t => {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const events = [createVerdictEvent('FAIL', 'why')]
  const first = await createTestSession(config.workspace, '2026-11-30-a-a001', { events })
  await createTestSession(config.workspace, '2026-11-30-a-a002', {
    events: [{ type: 'session.closed', actor: 'you', reason: 'x' }],
  })
  const queue = await openQueue(config.home, { readSessionEnd: async () => 'pending' })
  t.after(() => queue.close())
  await queue.enqueue([createItem(), createItem()])
  const room = { capabilities: [], slots: 2, roomByRepository: {}, defaultRoom: 2 }
  const claims = await queue.claim({ process: await identifySelf(), ...room })
  for (const [at, claim] of claims.entries()) await queue.start(claim, `2026-11-30-a-a00${at + 1}`)
  const searchPath = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = searchPath
  })
  await prepareRepository(first.paths, 'dispatch/a', undefined)
  process.env['PATH'] = createScratchFolder(t)
  const lines = await settleEnded(config, queue)
  process.env['PATH'] = searchPath
  assert.deepEqual(
    (await queue.list()).map(({ state }) => state),
    ['running', 'cancelled'],
  )
  assert.match(lines[0] ?? '', /^q-1: how its session stands is not known/)
})
