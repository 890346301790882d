import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventBody } from '#session/log'
import { computeState, computeStatus, describeJudgeWait, explainJudgeRefusal, isSettled } from '#session/status'

const [commit, tree] = ['d'.repeat(40), 'e'.repeat(40)]
const until = '2026-11-29T12:00:00.000Z'

const judging: EventBody = { type: 'judging.started', round: 1, commit, tree }
const asked: EventBody = { type: 'judge.asked', round: 1, sha256: 'f'.repeat(64) }
const parked: EventBody = {
  type: 'judging.parked',
  round: 1,
  kind: 'overloaded',
  reason: 'HTTP 503',
  attempts: 1,
  nextAt: '2026-11-29T00:10:00.000Z',
  until,
}
const requested: EventBody = { type: 'judging.requested', round: 1, actor: 'u', until }
const closed: EventBody = { type: 'session.closed', actor: 'you', reason: 'dispatch stop' }
const amended: EventBody = {
  type: 'contract.amended',
  ...{ version: 2, sha256: 'a'.repeat(64), changes: [], dilutions: [] },
  ...{ clauses: [], uncoveredSentences: [] },
}
const queued: EventBody = {
  type: 'worker.queued',
  worker: 'w',
  kind: 'code',
  model: 'm',
  clauses: [],
  files: [],
  blockedBy: null,
}

function give(verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE', more: Partial<EventBody & { type: 'verdict.given' }> = {}) {
  const independence = more.isUnanswered ? 'none' : 'other vendor, blind'
  return {
    ...{ type: 'verdict.given', round: 1, verdict, reason: 'why', commit, tree, isFinal: true },
    ...{ independence, clauses: [], ...more },
  } as EventBody
}

const addUp = (...bodies: EventBody[]) =>
  computeStatus(bodies.map((body, index) => ({ seq: index + 1, time: `2026-11-29T00:0${index}:00.000Z`, ...body })))

test('a session that waits for the judge is parked until it has a verdict', () => {
  const waiting = addUp(judging, asked, parked)
  assert.deepEqual([waiting.phase, computeState(waiting, 'alive'), isSettled(waiting)], ['judging', 'parked', false])
  assert.equal(computeState(waiting, 'dead'), 'interrupted')
  assert.equal(computeState(addUp(judging, asked, parked, closed), 'dead'), 'stopped')
  const passed = addUp(judging, asked, parked, give('PASS'))
  assert.deepEqual([computeState(passed, 'alive'), passed.judgeWait], ['PASS', null])
  assert.equal(addUp(judging, asked, parked, queued).judgeWait, null, 'new work takes its place')
})

test('a person’s request leads back to judging, and out of it with the answer', () => {
  const again = addUp(judging, asked, give('INCONCLUSIVE', { isUnanswered: true }), requested)
  assert.deepEqual([again.phase, computeState(again, 'alive')], ['judging', 'judging'])
  assert.equal(again.judgeWait?.nextAt, '2026-11-29T00:03:00.000Z')
  const early = addUp(judging, asked, parked, requested)
  assert.deepEqual([early.judgeWait?.attempts, early.judgeWait?.nextAt], [1, '2026-11-29T00:03:00.000Z'])
  const afterwards = addUp(judging, asked, give('INCONCLUSIVE', { isUnanswered: true }), closed, requested)
  assert.equal(computeState(afterwards, 'dead'), 'INCONCLUSIVE')
})

test('the wait is described with its cause and the next time', () => {
  const describe = (time: string, ...bodies: EventBody[]) =>
    describeJudgeWait(addUp(...bodies), iso => iso.slice(11, 16), new Date(time))
  assert.equal(describe(until, judging, asked), undefined)
  assert.equal(
    describe('2026-11-29T00:05:00.000Z', judging, asked, parked),
    'waiting for the judge: HTTP 503; it is asked again at 00:10, until 12:00 at the latest',
  )
  assert.match(describe('2026-11-29T00:10:01.000Z', judging, asked, parked) ?? '', /it is being asked again now/)
  assert.equal(describe(until, judging, asked, parked, closed), 'was waiting for the judge: HTTP 503')
})

test('the judge may be asked again only for want of an answer', () => {
  const unanswered = give('INCONCLUSIVE', { isUnanswered: true })
  const allowed: [string, EventBody[]][] = [
    ['it waits', [judging, asked, parked]],
    ['it was stopped while it waited', [judging, asked, parked, closed]],
    ['it was stopped while the judge was asked', [judging, asked, closed]],
    ['without an answer', [judging, asked, unanswered]],
    ['without an answer, closed', [judging, asked, unanswered, closed]],
  ]
  for (const [name, bodies] of allowed) assert.equal(explainJudgeRefusal(addUp(...bodies)), undefined, name)
  const refused: [string, EventBody[], RegExp][] = [
    ['PASS', [judging, asked, give('PASS')], /has answered.*PASS/],
    ['FAIL', [judging, asked, give('FAIL'), closed], /has answered.*FAIL/],
    ['FAIL, not final', [judging, asked, give('FAIL', { isFinal: false })], /has answered.*FAIL/],
    [
      'an answer that proves nothing',
      [judging, asked, give('INCONCLUSIVE')],
      /has answered.*INCONCLUSIVE all the same/,
    ],
    ['nothing was sent', [judging, give('INCONCLUSIVE', { isUnanswered: false })], /not asked/],
    ['no round yet', [], /not been judged yet/],
    ['the first time', [judging, asked], /is being asked/],
    [
      'unanswered, and the work goes on',
      [judging, asked, give('INCONCLUSIVE', { isUnanswered: true, isFinal: false })],
      /goes on/,
    ],
    ['by another contract', [judging, asked, parked, amended, closed], /not been judged yet/],
    ['by another contract, unanswered', [judging, asked, unanswered, amended, closed], /contract was amended/],
    ['passed after all', [judging, asked, unanswered, closed, requested, give('PASS')], /has answered.*PASS/],
  ]
  for (const [name, bodies, reason] of refused)
    assert.match(explainJudgeRefusal(addUp(...bodies)) ?? 'allowed', reason, name)
})
