import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Notice, noticeOf } from '../../notify/index.ts'
import type { Event, Happening } from '../../session/index.ts'

const sha = 'a'.repeat(40)
const session = { id: '2026-11-20-fix-login-a3f9' }
const secret = 'rm -rf the SECRET task'
const verdict = (verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE', final: boolean): Happening => ({
  is: 'verdict.given',
  round: 2,
  verdict,
  reason: secret,
  commit: sha,
  tree: sha,
  final,
  independence: 'none',
  clauses: [],
})

const told: [string, Happening, { title: string; body: string; priority: number; tags: string[] }][] = [
  [
    'the start',
    { is: 'orchestrator.started', claudeSession: secret },
    { title: 'Dispatch started', body: `${session.id} is planning`, priority: 3, tags: ['rocket'] },
  ],
  [
    'a failed start',
    { is: 'start.failed', why: secret, exit: 7 },
    { title: 'Dispatch did not start', body: `${session.id} failed`, priority: 4, tags: ['x'] },
  ],
  [
    'a question',
    { is: 'question.asked', question: secret },
    { title: 'Dispatch needs you', body: `${session.id} is asking a question`, priority: 4, tags: ['question'] },
  ],
  [
    'an orchestrator that gave up',
    { is: 'orchestrator.gave-up', why: secret },
    { title: 'Dispatch needs you', body: `${session.id} cannot go on alone`, priority: 4, tags: ['warning'] },
  ],
  [
    'silence',
    { is: 'orchestrator.stuck', idleSeconds: 905 },
    { title: 'Dispatch is stuck', body: `${session.id} has been still for 15 min`, priority: 4, tags: ['hourglass'] },
  ],
  [
    'PASS',
    verdict('PASS', true),
    { title: 'Dispatch: PASS', body: `${session.id} has passed in round 2`, priority: 3, tags: ['white_check_mark'] },
  ],
  [
    'the last FAIL',
    verdict('FAIL', true),
    { title: 'Dispatch: FAIL', body: `${session.id} has failed in round 2`, priority: 4, tags: ['x'] },
  ],
  [
    'INCONCLUSIVE',
    verdict('INCONCLUSIVE', false),
    {
      title: 'Dispatch: INCONCLUSIVE',
      body: `${session.id} could not be decided in round 2`,
      priority: 4,
      tags: ['warning'],
    },
  ],
]

const untold: Happening[] = [
  verdict('FAIL', false),
  { is: 'runner.started', pid: 1, generation: 1 },
  { is: 'worker.started', worker: 'parser' },
  { is: 'turn.ended', held: true },
  { is: 'notice.failed', channel: 'phone', about: 'x', why: 'y' },
  { is: 'session.closed', by: 'you', why: 'done' },
]

for (const [what, happening, expected] of told) {
  test(`a person is told of ${what}, with the id and the state and no word of the task`, () => {
    const notice = noticeOf(event(happening), session, undefined)
    assert.deepEqual(notice, expected)
    assert.ok(Notice.safeParse(notice).success)
    assert.ok(!JSON.stringify(notice).includes('SECRET'))
  })
}

for (const happening of untold) {
  test(`nobody is woken for ${happening.is}${happening.is === 'verdict.given' ? ' that goes back for repair' : ''}`, () => {
    assert.equal(noticeOf(event(happening), session, 'http://127.0.0.1:7777'), undefined)
  })
}

test('a tap opens the page of the session', () => {
  const happening: Happening = { is: 'orchestrator.started', claudeSession: 'x' }
  for (const page of ['http://127.0.0.1:7777', 'http://127.0.0.1:7777/'])
    assert.equal(noticeOf(event(happening), session, page)?.click, `http://127.0.0.1:7777/s/${session.id}`)
})

function event(happening: Happening): Event {
  return { seq: 1, at: '2026-11-20T10:00:00.000Z', ...happening }
}
