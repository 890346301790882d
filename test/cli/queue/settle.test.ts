import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideFailedStart, decideOutcome } from '#cli/queue/settle.ts'
import type { Session } from '#session'
import { initialStatus, type SessionStatus, type SessionView } from '#session/status'
import { blankManifest } from '../../fixtures/blank-manifest.ts'

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
