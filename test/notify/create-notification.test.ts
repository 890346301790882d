import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotification, Notification, type NotificationOptions } from '#notify'
import type { Event, EventBody } from '#session/log'

const hash = 'a'.repeat(40)
const secret = 'rm -rf the SECRET task'
const session = { id: '2026-11-20-fix-login-a3f9', title: secret }
const options: NotificationOptions = { pageUrl: null, detail: 'state', subagents: false }

/** A time of today. */
const nextAtMs = new Date().setHours(23, 59, 0, 0)

interface Example {
  what: string
  event: EventBody
  title: string
  /** The body without the session's id. */
  state: string
  priority: number
  tag: string
  /** It passes quiet hours if there is a deadline. */
  isUrgent?: true
}

const examples: Example[] = [
  {
    what: 'a start',
    event: { type: 'orchestrator.started', claudeSessionId: secret },
    title: 'Dispatch started',
    state: 'is planning',
    priority: 3,
    tag: 'rocket',
  },
  {
    what: 'a failed start',
    event: { type: 'start.failed', reason: secret, exitCode: 7 },
    title: 'Dispatch did not start',
    state: 'did not start. Next: dispatch show a3f9',
    priority: 4,
    tag: 'x',
    isUrgent: true,
  },
  {
    what: 'a question',
    event: { type: 'question.asked', question: secret },
    title: 'Dispatch needs you',
    state: 'asks a question. Next: dispatch say a3f9 "…"',
    priority: 4,
    tag: 'question',
    isUrgent: true,
  },
  {
    what: 'a contract to approve',
    event: { type: 'approval.requested', sha256: hash },
    title: 'Dispatch needs you',
    state: 'needs your approval of its contract. Next: dispatch approve a3f9',
    priority: 4,
    tag: 'question',
    isUrgent: true,
  },
  {
    what: 'a weaker contract to approve',
    event: { type: 'approval.requested', sha256: hash, dilutions: [secret, secret], reason: secret },
    title: 'Dispatch needs you',
    state: 'wants to weaken its contract in 2 points. Next: dispatch approve a3f9',
    priority: 4,
    tag: 'question',
    isUrgent: true,
  },
  {
    what: 'a session that cannot continue',
    event: { type: 'human.needed', reason: secret },
    title: 'Dispatch needs you',
    state: 'cannot continue alone. Next: dispatch show a3f9',
    priority: 4,
    tag: 'warning',
    isUrgent: true,
  },
  {
    what: 'no activity',
    event: { type: 'orchestrator.stuck', idleSeconds: 905 },
    title: 'Dispatch is stuck',
    state: 'shows no activity for 15 min. Next: dispatch attach a3f9',
    priority: 4,
    tag: 'hourglass',
    isUrgent: true,
  },
  {
    what: 'a usage limit',
    event: { type: 'usage-limit.reached', reason: secret, resetsAt: null },
    title: 'Dispatch is parked',
    state: 'waits for the usage limit to end, then continues',
    priority: 3,
    tag: 'zzz',
  },
  {
    what: 'the end of a usage limit',
    event: { type: 'usage-limit.lifted', source: 'the clock' },
    title: 'Dispatch continues',
    state: 'continues: its model answers again',
    priority: 2,
    tag: 'arrow_forward',
  },
  {
    what: 'a judge that cannot judge',
    event: { type: 'judge.checked', model: 'a', problem: secret },
    title: 'Dispatch: no judge',
    state: 'has no working judge: until that is fixed, no verdict can be PASS. Next: dispatch doctor --online',
    priority: 4,
    tag: 'warning',
    isUrgent: true,
  },
  {
    what: 'a judge that gives no answer',
    event: buildParked(1),
    title: 'Dispatch is parked',
    state: `is waiting for the judge, which is overloaded. Dispatch asks it again at ${new Date(nextAtMs).toTimeString().slice(0, 5)} and keeps trying. Nothing is lost`,
    priority: 3,
    tag: 'zzz',
  },
  {
    what: 'a spent budget',
    event: { type: 'budget.reached', spentUsd: 5.504, budgetUsd: 5 },
    title: 'Dispatch needs you',
    state: 'spent $5.50 of $5.00 and starts no more workers. Next: raise BUDGET_USD',
    priority: 4,
    tag: 'moneybag',
    isUrgent: true,
  },
  {
    what: 'a deadline without a verdict',
    event: { type: 'deadline.passed', deadline: '2026-11-21T06:00:00.000Z' },
    title: 'Dispatch is late',
    state: 'has no verdict at its deadline. Next: dispatch show a3f9',
    priority: 5,
    tag: 'alarm_clock',
    isUrgent: true,
  },
  {
    what: 'a recovery after a crash',
    event: { type: 'runner.started', pid: 7, generation: 2 },
    title: 'Dispatch recovered',
    state: 'continues after a crash',
    priority: 2,
    tag: 'adhesive_bandage',
  },
  {
    what: 'the fourth crash in a row',
    event: { type: 'runner.started', pid: 7, generation: 9, consecutiveRestarts: 4 },
    title: 'Dispatch needs you',
    state: 'continues, but its runner crashed 4 times in a row. Next: dispatch logs a3f9',
    priority: 4,
    tag: 'warning',
    isUrgent: true,
  },
  {
    what: 'PASS',
    event: buildVerdict('PASS', true),
    title: 'Dispatch: PASS',
    state: 'passed in round 2. Next: dispatch apply a3f9',
    priority: 3,
    tag: 'white_check_mark',
  },
  {
    what: 'the final FAIL',
    event: buildVerdict('FAIL', true),
    title: 'Dispatch: FAIL',
    state: 'failed in round 2. Next: dispatch show a3f9',
    priority: 4,
    tag: 'x',
  },
  {
    what: 'INCONCLUSIVE',
    event: buildVerdict('INCONCLUSIVE', false),
    title: 'Dispatch: INCONCLUSIVE',
    state: 'is undecided after round 2. Next: dispatch show a3f9',
    priority: 4,
    tag: 'warning',
  },
  {
    what: 'a void verdict',
    event: { type: 'verdict.voided', reason: secret },
    title: 'Dispatch: verdict void',
    state: 'changed after its verdict, which is now void. Next: dispatch show a3f9',
    priority: 4,
    tag: 'warning',
  },
  {
    what: 'what the forge has merged',
    event: buildLandingCheck({ isOnBranch: true }),
    title: 'Dispatch landed',
    state: 'was merged into main, and proved there',
    priority: 3,
    tag: 'airplane_arriving',
  },
  {
    what: 'what the forge has merged and is not green',
    event: buildLandingCheck({ isOnBranch: true, result: 'red' }),
    title: 'Dispatch: merged, and not green',
    state: 'was merged into main, and is not green there. Next: dispatch show a3f9',
    priority: 5,
    tag: 'rotating_light',
  },
]

const silentEvents: EventBody[] = [
  // The queue of landings tells of these.
  { type: 'landing.pushed', number: 1, branch: 'main', commit: hash, tree: hash },
  { type: 'landing.refused', branch: 'main', target: hash, cause: 'conflict', reason: secret, files: [secret] },
  buildLandingCheck({ result: 'red' }),
  buildVerdict('FAIL', false),
  { type: 'runner.started', pid: 1, generation: 1 },
  { type: 'runner.started', pid: 1, generation: 3, consecutiveRestarts: 2 },
  { type: 'runner.started', pid: 1, generation: 3, consecutiveRestarts: 5 },
  { type: 'worker.started', worker: 'parser' },
  { type: 'machine.slept', seconds: 40 },
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
  { type: 'judge.checked', model: 'a', problem: '' },
  { type: 'judge.asked', round: 1, sha256: hash },
  buildParked(2),
  { type: 'judging.requested', round: 1, actor: 'you', until: new Date(nextAtMs).toISOString() },
]

for (const { what, event, title, state, priority, tag, isUrgent = false } of examples) {
  test(`${what} is reported with the id and the state, without the task`, () => {
    const created = create(event)
    assert.deepEqual(created, {
      notification: {
        title,
        body: `${session.id} ${state}`,
        priority,
        tags: [tag],
        ...(event.type === 'verdict.given' ? { kind: 'verdict' } : {}),
      },
      isUrgent,
    })
    assert.ok(Notification.safeParse(created?.notification).success)
    assert.ok(!JSON.stringify(created).includes('SECRET'))
  })
}

for (const event of silentEvents) {
  const detail = event.type === 'verdict.given' ? ' (a FAIL that is not final)' : ''
  test(`${event.type}${detail} is not reported`, () => {
    assert.equal(create(event, { ...options, detail: 'full' }), undefined)
  })
}

test('the title and the question are sent only if the user asks for them', () => {
  const question: EventBody = { type: 'question.asked', question: 'English?\nOr Portuguese?' }
  const getLines = (detail: NotificationOptions['detail']) =>
    create(question, { ...options, detail })
      ?.notification.body.split('\n')
      .slice(1)
  assert.deepEqual(getLines('state'), [])
  assert.deepEqual(getLines('title'), [secret])
  assert.deepEqual(getLines('full'), [secret, 'English? Or Portuguese?'])
})

test('a verdict has the log anchor, and nothing else has', () => {
  const head = '3f9a'.repeat(16)
  const getBody = (event: EventBody) =>
    createNotification(addTime(event), { ...session, head }, options)?.notification.body
  assert.equal(
    getBody(buildVerdict('PASS', true)),
    `${session.id} passed in round 2, log anchor 3f9a3f9a3f9a3f9a. Next: dispatch apply a3f9`,
  )
  for (const { event } of examples.filter(({ event }) => event.type !== 'verdict.given'))
    assert.doesNotMatch(getBody(event) ?? '', /3f9a3f9a/)
})

test('a notification of an older dispatch, without a kind, still parses', () => {
  const { kind, ...old } = create(buildVerdict('PASS', true))?.notification ?? {}
  assert.equal(kind, 'verdict')
  assert.deepEqual(Notification.parse(JSON.parse(JSON.stringify(old))), old)
})

test('the end of a worker or subagent is reported quietly, if the user asks', () => {
  for (const event of silentEvents.filter(({ type }) => type === 'worker.ended' || type === 'subagent.ended')) {
    const created = create(event, { ...options, subagents: true })
    assert.ok(created && created.notification.priority <= 2 && !created.isUrgent, event.type)
  }
})

test('a tap opens the page of the session', () => {
  const pageUrl = `http://127.0.0.1:7777/s/${session.id}`
  const started: EventBody = { type: 'orchestrator.started', claudeSessionId: 'x' }
  assert.equal(create(started, { ...options, pageUrl })?.notification.click, pageUrl)
})

test('a parked session reports when the limit ends, with the day unless it is today', () => {
  const getBody = (resetsAt: Date) =>
    create({ type: 'usage-limit.reached', reason: '', resetsAt: resetsAt.toISOString() })?.notification.body ?? ''
  const resetsAt = new Date()
  resetsAt.setHours(23, 59, 0, 0)
  assert.match(getBody(resetsAt), /to end at 23:59, then/)
  resetsAt.setDate(resetsAt.getDate() + 2)
  assert.ok(getBody(resetsAt).includes(`to end at ${resetsAt.toDateString().slice(0, 3)} 23:59, then`))
})

function create(event: EventBody, wanted = options) {
  return createNotification(addTime(event), session, wanted)
}

function addTime(event: EventBody): Event {
  return { seq: 1, time: '2026-11-20T10:00:00.000Z', ...event }
}

function buildLandingCheck(changes: Partial<Event<'landing.checked'>>): EventBody {
  const made = { number: 1, branch: 'main', commit: hash, tree: hash, target: hash, sha256: hash }
  return { type: 'landing.checked', ...made, result: 'ready', reason: secret, ...changes }
}

function buildParked(attempts: number): EventBody {
  const time = new Date(nextAtMs).toISOString()
  return { type: 'judging.parked', round: 1, kind: 'overloaded', reason: secret, attempts, nextAt: time, until: time }
}

function buildVerdict(verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE', isFinal: boolean): EventBody {
  return {
    type: 'verdict.given',
    round: 2,
    verdict,
    reason: secret,
    commit: hash,
    tree: hash,
    isFinal,
    independence: 'none',
    clauses: [],
  }
}
