import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotification, Notification, type NotificationOptions } from '#notify'
import type { Event, EventBody } from '#session/log'

const sha = 'a'.repeat(40)
const secret = 'rm -rf the SECRET task'
const session = { id: '2026-11-20-fix-login-a3f9', title: secret }
const wishes: NotificationOptions = { pageUrl: null, detail: 'state', subagents: false }
const verdict = (verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE', isFinal: boolean): EventBody => ({
  type: 'verdict.given',
  round: 2,
  verdict,
  reason: secret,
  commit: sha,
  tree: sha,
  isFinal,
  independence: 'none',
  clauses: [],
})

const told: [string, EventBody, Notification][] = [
  [
    'the start',
    { type: 'orchestrator.started', claudeSessionId: secret },
    { title: 'Dispatch started', body: `${session.id} is planning`, priority: 3, tags: ['rocket'] },
  ],
  [
    'a failed start',
    { type: 'start.failed', reason: secret, exitCode: 7 },
    { title: 'Dispatch did not start', body: `${session.id} failed`, priority: 4, tags: ['x'] },
  ],
  [
    'a question',
    { type: 'question.asked', question: secret },
    { title: 'Dispatch needs you', body: `${session.id} is asking a question`, priority: 4, tags: ['question'] },
  ],
  [
    'an orchestrator that gave up',
    { type: 'human.needed', reason: secret },
    { title: 'Dispatch needs you', body: `${session.id} cannot go on alone`, priority: 4, tags: ['warning'] },
  ],
  [
    'silence',
    { type: 'orchestrator.stuck', idleSeconds: 905 },
    { title: 'Dispatch is stuck', body: `${session.id} has been still for 15 min`, priority: 4, tags: ['hourglass'] },
  ],
  [
    'PASS',
    verdict('PASS', true),
    {
      title: 'Dispatch: PASS',
      body: `${session.id} has passed in round 2`,
      priority: 3,
      tags: ['white_check_mark'],
      kind: 'verdict',
    },
  ],
  [
    'the last FAIL',
    verdict('FAIL', true),
    { title: 'Dispatch: FAIL', body: `${session.id} has failed in round 2`, priority: 4, tags: ['x'], kind: 'verdict' },
  ],
  [
    'INCONCLUSIVE',
    verdict('INCONCLUSIVE', false),
    {
      title: 'Dispatch: INCONCLUSIVE',
      body: `${session.id} could not be decided in round 2`,
      priority: 4,
      tags: ['warning'],
      kind: 'verdict',
    },
  ],
  [
    'a usage limit',
    { type: 'usage-limit.reached', reason: secret, resetsAt: null },
    { title: 'Dispatch is parked', body: `${session.id} waits for the usage limit to end`, priority: 3, tags: ['zzz'] },
  ],
  [
    'the end of a usage limit',
    { type: 'usage-limit.lifted', source: 'the clock' },
    {
      title: 'Dispatch goes on',
      body: `${session.id} works again: the usage limit is over`,
      priority: 2,
      tags: ['arrow_forward'],
    },
  ],
  [
    'a budget that is spent',
    { type: 'budget.reached', spentUsd: 5.504, budgetUsd: 5 },
    {
      title: 'Dispatch needs you',
      body: `${session.id} has spent $5.50 of $5.00; no more workers are started`,
      priority: 4,
      tags: ['moneybag'],
    },
  ],
  [
    'a deadline without a verdict',
    { type: 'deadline.passed', deadline: '2026-11-21T06:00:00.000Z' },
    {
      title: 'Dispatch is late',
      body: `${session.id} has no verdict at its deadline`,
      priority: 5,
      tags: ['alarm_clock'],
    },
  ],
  [
    'a recovery after a crash',
    { type: 'runner.started', pid: 7, generation: 2 },
    {
      title: 'Dispatch recovered',
      body: `${session.id} goes on after a crash`,
      priority: 2,
      tags: ['adhesive_bandage'],
    },
  ],
  [
    'a runner that dies again and again',
    { type: 'runner.started', pid: 7, generation: 9, consecutiveRestarts: 4 },
    {
      title: 'Dispatch needs you',
      body: `${session.id} goes on, but its runner has died 4 times in a row`,
      priority: 4,
      tags: ['warning'],
    },
  ],
]

const untold: EventBody[] = [
  verdict('FAIL', false),
  { type: 'runner.started', pid: 1, generation: 1 },
  { type: 'runner.started', pid: 1, generation: 3, consecutiveRestarts: 2 },
  { type: 'runner.started', pid: 1, generation: 3, consecutiveRestarts: 5 },
  { type: 'worker.started', worker: 'parser' },
  { type: 'turn.ended', isBlocked: true },
  { type: 'notification.queued', eventSeq: 1, eventType: 'x' },
  {
    type: 'worker.ended',
    worker: 'w',
    ending: 'reported',
    reason: '',
    commit: null,
    changedFiles: 0,
    costUsd: null,
    seconds: 1,
  },
  { type: 'subagent.ended', agent: 'w', kind: 'Explore' },
  { type: 'tool.failed', agent: 'w', tool: 'Bash', reason: secret },
  { type: 'session.closed', actor: 'you', reason: 'done' },
]

/** What comes through quiet hours where there is a deadline. */
const urgent = [
  'a failed start',
  'a question',
  'an orchestrator that gave up',
  'silence',
  'a budget that is spent',
  'a deadline without a verdict',
  'a runner that dies again and again',
]

for (const [what, happening, expected] of told) {
  test(`a person is told of ${what}, with the id and the state and no word of the task`, () => {
    const told = createNotification(event(happening), session, wishes)
    const notice = told?.notice
    assert.deepEqual(notice, expected)
    assert.equal(told?.isUrgent, urgent.includes(what))
    assert.ok(Notification.safeParse(notice).success)
    assert.ok(!JSON.stringify(notice).includes('SECRET'))
  })
}

for (const happening of untold) {
  test(`nobody is woken for ${happening.type}${happening.type === 'verdict.given' ? ' that goes back for repair' : ''}`, () => {
    assert.equal(createNotification(event(happening), session, { ...wishes, detail: 'full' }), undefined)
  })
}

test('more is told only to who asks for it: the title, and then what was asked and why', () => {
  const asked: EventBody = { type: 'question.asked', question: 'English?\nOr Portuguese?' }
  const bodyWith = (detail: NotificationOptions['detail']) =>
    createNotification(event(asked), session, { ...wishes, detail })?.notice.body
  assert.equal(bodyWith('title'), `${session.id} is asking a question\n${secret}`)
  assert.match(bodyWith('full') ?? '', /is asking a question\n.*SECRET.*\nEnglish\?.*Or Portuguese\?$/)
})

test('a verdict comes with the first digits of the head of the log, nothing else does', () => {
  const head = '3f9a'.repeat(16)
  const bodyOf = (happening: EventBody) =>
    createNotification(event(happening), { ...session, head }, wishes)?.notice.body
  assert.equal(bodyOf(verdict('PASS', true)), `${session.id} has passed in round 2, proof 3f9a3f9a3f9a3f9a`)
  assert.equal(bodyOf({ type: 'question.asked', question: '?' }), `${session.id} is asking a question`)
})

test('a verdict says in its file that it is one, nothing else does; what an older version wrote still reads', () => {
  const saying = told.filter(
    ([, happening]) => createNotification(event(happening), session, wishes)?.notice.kind === 'verdict',
  )
  assert.deepEqual(
    saying.map(([what]) => what),
    ['PASS', 'the last FAIL', 'INCONCLUSIVE'],
  )
  for (const [, , { kind, ...old }] of told) assert.deepEqual(Notification.parse(JSON.parse(JSON.stringify(old))), old)
})

test('ends of workers and subagents are told to who asks for them, quietly', () => {
  for (const happening of untold.filter(({ type }) => type === 'worker.ended' || type === 'subagent.ended')) {
    const told = createNotification(event(happening), session, { ...wishes, subagents: true })
    assert.ok(told && told.notice.priority <= 2 && !told.isUrgent, happening.type)
  }
})

test('a tap opens the page of the session', () => {
  const happening: EventBody = { type: 'orchestrator.started', claudeSessionId: 'x' }
  const pageUrl = `http://127.0.0.1:7777/s/${session.id}`
  assert.equal(createNotification(event(happening), session, { ...wishes, pageUrl })?.notice.click, pageUrl)
})

function event(happening: EventBody): Event {
  return { seq: 1, time: '2026-11-20T10:00:00.000Z', ...happening }
}

test('a session that is parked says until when, with the day where it is another', () => {
  const stateUntil = (resetsAt: string) =>
    createNotification(
      event({ type: 'usage-limit.reached', reason: '', resetsAt }),
      session,
      wishes,
    )?.notice.body.slice(session.id.length + 1)
  const soon = new Date()
  soon.setHours(23, 59, 0, 0)
  assert.equal(stateUntil(soon.toISOString()), 'waits for the usage limit to end (until 23:59)')
  soon.setDate(soon.getDate() + 2)
  const day = soon.toDateString().slice(0, 3)
  assert.equal(stateUntil(soon.toISOString()), `waits for the usage limit to end (until ${day} 23:59)`)
})
