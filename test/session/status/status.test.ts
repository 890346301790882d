import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Liveness } from '#host/process'
import { describeEvent, type Event, type EventBody } from '#session/log'
import {
  applyEvent,
  computeState,
  computeStatus,
  countInARow,
  isAwaitingApproval,
  isSettled,
  type SessionStatus,
} from '#session/status'
import type { Phase } from '#session/status/status-types.ts'

const sha = (digit: string) => digit.repeat(40)
const models = { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'gemini' }
const task = { bytes: 3, sha256: sha('0'), title: 'fix it' }

const samples = {
  opened: {
    type: 'session.opened',
    format: 1,
    task,
    repository: '/r',
    uncommittedFiles: 1,
    models,
    maxRounds: 3,
    allowsJudgedOnly: true,
  },
  runner: { type: 'runner.started', pid: 7, generation: 2, version: '0.1.0+1a2b3c4d5e6f' },
  base: { type: 'base.prepared', commit: sha('a'), tree: sha('b') },
  started: { type: 'orchestrator.started', claudeSessionId: 'x' },
  failed: { type: 'start.failed', reason: 'not logged in', exitCode: 7 },
  rejected: { type: 'contract.rejected', problems: ['line 1: no'] },
  sealed: {
    type: 'contract.sealed',
    sha256: sha('c'),
    clauses: [
      { id: 'C1', sentence: 'It works', proof: 'check' },
      { id: 'C2', sentence: 'It reads well', proof: 'judged' },
    ],
    uncoveredSentences: ['S2: more'],
  },
  red: check('base', 0, 'red'),
  green: check('head', 1, 'green'),
  queued: worker('code-1', null),
  waiting: worker('code-2', 'code-1'),
  granted: { type: 'lock.granted', worker: 'code-1', fencingToken: 1 },
  released: { type: 'lock.released', worker: 'code-1', fencingToken: 1, reason: 'reported' },
  working: { type: 'worker.started', worker: 'code-1' },
  ended: {
    type: 'worker.ended',
    worker: 'code-1',
    ending: 'reported',
    reason: '',
    commit: sha('d'),
    changedFiles: 2,
    costUsd: 0.5,
    seconds: 9,
  },
  quarantined: { type: 'changes.quarantined', worker: 'code-1', files: ['x'] },
  asked: { type: 'question.asked', question: 'which?' },
  answered: { type: 'question.answered', source: 'its terminal' },
  delivered: { type: 'message.delivered', messageId: '1', bytes: 5, sha256: sha('6'), delivery: 'began a turn' },
  undelivered: { type: 'message.rejected', messageId: '2', reason: 'a menu is open' },
  approvalRequested: { type: 'approval.requested', sha256: sha('7') },
  approved: { type: 'contract.approved', sha256: sha('7'), actor: 'you' },
  declined: { type: 'contract.declined', sha256: sha('7'), actor: 'you' },
  turn: { type: 'turn.ended', isBlocked: true },
  free: { type: 'turn.ended', isBlocked: false },
  judging: judging(1),
  pass: verdict('PASS', 1, true),
  failNotFinal: verdict('FAIL', 1, false),
  fail: verdict('FAIL', 3, true),
  inconclusive: verdict('INCONCLUSIVE', 1, true),
  voided: { type: 'verdict.voided', reason: 'a file changed' },
  restored: { type: 'verdict.restored', commit: sha('c') },
  helpNeeded: { type: 'human.needed', reason: 'it is gone' },
  stuck: { type: 'orchestrator.stuck', idleSeconds: 900 },
  notified: { type: 'notification.queued', eventSeq: 3, eventType: 'question.asked' },
  toolFailed: { type: 'tool.failed', agent: 'parser', tool: 'Bash', reason: 'exit 1' },
  subagent: { type: 'subagent.ended', agent: 'parser', kind: 'Explore' },
  limited: { type: 'usage-limit.reached', reason: 'session limit', resetsAt: null },
  lifted: { type: 'usage-limit.lifted', source: 'the clock' },
  cost: { type: 'cost.reported', usd: 1.5, runUsd: 0.5 },
  spent: { type: 'budget.reached', spentUsd: 5.5, budgetUsd: 5 },
  late: { type: 'deadline.passed', deadline: '2026-11-21T06:00:00.000Z' },
  requestRejected: { type: 'request.rejected', tool: 'spawn-worker', reason: 'usage' },
  writeBlocked: { type: 'write.blocked', agent: 'orchestrator', file: '/x' },
  closed: { type: 'session.closed', actor: 'you', reason: 'enough' },
  reopened: { type: 'session.reopened', actor: 'you' },
  resumed: { type: 'orchestrator.resumed', claudeSessionId: 'x', reason: 'killed', consecutiveResumes: 2 },
  interrupted: { type: 'worker.interrupted', worker: 'code-1', attempt: 1, reason: 'killed' },
} satisfies Record<string, EventBody>

function check(side: 'base' | 'head', round: number, outcome: 'green' | 'red') {
  return {
    type: 'check.ran' as const,
    side,
    round,
    clauseId: 'C1',
    outcome,
    reason: '',
    milliseconds: 1,
    recordId: `${side}-C1`,
  } satisfies EventBody
}

function worker(name: string, blockedBy: string | null): EventBody {
  return { type: 'worker.queued', worker: name, kind: 'code', model: 'opus', clauses: ['C1'], files: [], blockedBy }
}

function judging(round: number): EventBody {
  return { type: 'judging.started', round, commit: sha('d'), tree: sha('e') }
}

function verdict(value: 'PASS' | 'FAIL' | 'INCONCLUSIVE', round: number, isFinal: boolean): EventBody {
  const clauses = [{ id: 'C1', verdict: value }]
  const [commit, tree] = [sha('d'), sha('e')]
  return {
    type: 'verdict.given',
    round,
    verdict: value,
    reason: 'seen',
    commit,
    tree,
    isFinal,
    independence: 'blind',
    clauses,
  }
}

type Name = keyof typeof samples

const minute = (seq: number) => new Date(Date.UTC(2026, 10, 20, 21, seq)).toISOString()

function createEvents(...bodies: (Name | EventBody)[]): Event[] {
  return bodies.map((body, index) => ({
    seq: index + 1,
    time: minute(index + 1),
    ...(typeof body === 'string' ? samples[body] : body),
  }))
}

const after = (...bodies: (Name | EventBody)[]): SessionStatus => computeStatus(createEvents(...bodies))

const beginning: Name[] = ['opened', 'runner', 'base', 'started']
const atWork: Name[] = [...beginning, 'sealed', 'red', 'queued', 'granted', 'working']
const judged: Name[] = [...atWork, 'ended', 'released', 'judging', 'green']

test('the phase after each event of a session', () => {
  const path: [Name, Phase][] = [
    ['opened', 'opening'],
    ['runner', 'opening'],
    ['base', 'opening'],
    ['started', 'planning'],
    ['rejected', 'planning'],
    ['asked', 'asking'],
    ['answered', 'planning'],
    ['sealed', 'working'],
    ['red', 'working'],
    ['queued', 'working'],
    ['granted', 'working'],
    ['working', 'working'],
    ['waiting', 'working'],
    ['ended', 'working'],
    ['released', 'working'],
    ['turn', 'working'],
    ['judging', 'judging'],
    ['green', 'judging'],
    ['failNotFinal', 'working'],
    ['judging', 'judging'],
    ['pass', 'PASS'],
    ['notified', 'PASS'],
    ['closed', 'PASS'],
  ]
  for (const [index, [, phase]] of path.entries())
    assert.equal(after(...path.slice(0, index + 1).map(([name]) => name)).phase, phase, `after ${index + 1} events`)
})

test('the status at the verdict has every field', () => {
  assert.deepEqual(after(...judged, 'pass'), {
    phase: 'PASS',
    phaseStartedAt: minute(14),
    openedAt: minute(1),
    lastSeq: 14,
    lastEventAt: minute(14),
    title: 'fix it',
    repository: '/r',
    lastRestart: { time: minute(2), inARow: 1 },
    runnerVersion: '0.1.0+1a2b3c4d5e6f',
    noSandboxReason: 'the session is older than the sandbox',
    maxRounds: 3,
    allowsJudgedOnly: true,
    models,
    base: { commit: sha('a'), tree: sha('b') },
    acceptedCommit: sha('d'),
    contract: { sha256: sha('c'), version: 1, uncoveredSentences: ['S2: more'], excludedSentences: [], dilutions: [] },
    clauses: [
      { id: 'C1', sentence: 'It works', proof: 'check', baseOutcome: 'red', headOutcome: 'green', verdict: 'PASS' },
      { id: 'C2', sentence: 'It reads well', proof: 'judged', verdict: 'INCONCLUSIVE' },
    ],
    workers: [
      {
        name: 'code-1',
        kind: 'code',
        model: 'opus',
        clauses: ['C1'],
        files: [],
        queuedAt: minute(7),
        blockedBy: null,
        startedAt: minute(9),
        endedAt: minute(10),
        ending: 'reported',
        reason: '',
        changedFiles: 2,
        costUsd: 0.5,
        estimatedUsd: undefined,
        inFlightUsd: undefined,
      },
    ],
    lastFencingToken: 1,
    round: 1,
    roundOffset: 0,
    isResetUnverified: false,
    approval: undefined,
    writeLock: null,
    verdict: {
      round: 1,
      verdict: 'PASS',
      reason: 'seen',
      commit: sha('d'),
      tree: sha('e'),
      isFinal: true,
      independence: 'blind',
      time: minute(14),
    },
    question: null,
    idleTurns: 0,
    contractRejections: 0,
    isStuck: false,
    isReopened: false,
    lastResume: undefined,
    resumesWithoutProgress: 0,
    workedMs: 720_000,
    remarks: [],
    landed: [],
    overlaps: [],
    isTimeUp: false,
    usageLimit: null,
    judgeProblem: '',
    judgeQuestion: undefined,
    judgeWait: null,
    isPastDeadline: false,
    lastNotifiedSeq: 0,
  } satisfies SessionStatus)
})

test('phase, state and isSettled at every possible end', () => {
  const table: [string, Name[], Phase, alive: string, dead: string, settled: boolean][] = [
    ['nothing yet', [], 'opening', 'opening', 'interrupted', false],
    ['opened', ['opened'], 'opening', 'opening', 'interrupted', false],
    ['start failed', ['opened', 'failed'], 'failed', 'failed', 'failed', true],
    ['planning', beginning, 'planning', 'planning', 'interrupted', false],
    ['asking', [...beginning, 'asked'], 'asking', 'asking', 'asking', true],
    ['working', atWork, 'working', 'working', 'interrupted', false],
    ['judging', judged, 'judging', 'judging', 'interrupted', false],
    ['FAIL, not final', [...judged, 'failNotFinal'], 'working', 'working', 'interrupted', false],
    ['PASS', [...judged, 'pass'], 'PASS', 'PASS', 'PASS', true],
    ['FAIL', [...judged, 'fail'], 'FAIL', 'FAIL', 'FAIL', true],
    ['INCONCLUSIVE', [...judged, 'inconclusive'], 'INCONCLUSIVE', 'INCONCLUSIVE', 'INCONCLUSIVE', true],
    ['PASS, void', [...judged, 'pass', 'voided'], 'PASS', 'PASS (void)', 'PASS (void)', true],
    ['void, and undone', [...judged, 'pass', 'voided', 'restored'], 'PASS', 'PASS', 'PASS', true],
    [
      'void, and undone by new work',
      [...judged, 'pass', 'voided', 'answered', 'restored'],
      'PASS',
      'PASS',
      'PASS',
      true,
    ],
    ['FAIL, void', [...judged, 'fail', 'voided'], 'FAIL', 'FAIL (void)', 'FAIL (void)', true],
    ['void and closed', [...judged, 'pass', 'voided', 'closed'], 'PASS', 'PASS (void)', 'PASS (void)', true],
    ['void, and work continues', [...judged, 'pass', 'voided', 'answered'], 'working', 'working', 'interrupted', false],
    ['needs a human', [...atWork, 'helpNeeded'], 'needs you', 'needs you', 'needs you', true],
    ['stuck', [...atWork, 'stuck'], 'working', 'stuck', 'interrupted', false],
    ['at a usage limit', [...atWork, 'limited'], 'working', 'parked', 'interrupted', false],
    ['at a usage limit, and asking', [...atWork, 'limited', 'asked'], 'asking', 'asking', 'asking', true],
    ['closed while planning', [...beginning, 'closed'], 'planning', 'stopped', 'stopped', true],
    ['closed while working', [...atWork, 'closed'], 'working', 'stopped', 'stopped', true],
    [
      'stopped while asking, and taken up',
      [...beginning, 'asked', 'closed', 'reopened'],
      'asking',
      'asking',
      'asking',
      true,
    ],
    ['stopped in a round, and taken up', [...judged, 'closed', 'reopened'], 'working', 'working', 'interrupted', false],
    ['closed after PASS', [...judged, 'pass', 'closed'], 'PASS', 'PASS', 'PASS', true],
    ['closed after FAIL', [...judged, 'fail', 'closed'], 'FAIL', 'FAIL', 'FAIL', true],
    ['closed after it failed', ['opened', 'failed', 'closed'], 'failed', 'failed', 'failed', true],
  ]
  for (const [name, path, phase, alive, dead, settled] of table) {
    const status = after(...path)
    assert.equal(status.phase, phase, name)
    assert.equal(computeState(status, 'alive'), alive, `${name}, runner alive`)
    assert.equal(computeState(status, 'unknown'), alive, `${name}, liveness unknown`)
    assert.equal(computeState(status, 'dead'), dead, `${name}, runner dead`)
    assert.equal(isSettled(status), settled, `${name}, settled`)
  }
})

test('each event changes its fields, and no others', () => {
  const table: [Name, before: Name[], Partial<SessionStatus>][] = [
    ['runner', beginning, { lastRestart: { time: minute(59), inARow: 1 } }],
    ['base', ['opened'], { base: { commit: sha('a'), tree: sha('b') }, acceptedCommit: sha('a') }],
    ['started', ['opened'], { phase: 'planning' }],
    ['failed', ['opened'], { phase: 'failed', problem: 'not logged in', startExitCode: 7 }],
    ['rejected', beginning, { contractRejections: 1 }],
    [
      'granted',
      [...beginning, 'sealed', 'waiting'],
      { writeLock: { worker: 'code-1', fencingToken: 1 }, lastFencingToken: 1 },
    ],
    ['released', atWork, { writeLock: null }],
    ['quarantined', atWork, {}],
    ['asked', atWork, { phase: 'asking', question: 'which?' }],
    ['delivered', atWork, {}],
    ['undelivered', atWork, {}],
    [
      'approvalRequested',
      beginning,
      {
        phase: 'asking',
        question: 'Approve the contract?',
        approval: { sha256: sha('7'), state: 'asked', dilutions: [], reason: '' },
      },
    ],
    ['turn', atWork, { idleTurns: 1 }],
    ['free', [...atWork, 'turn', 'turn'], { idleTurns: 0 }],
    ['voided', atWork, {}],
    ['helpNeeded', atWork, { phase: 'needs you', problem: 'it is gone', problemExitCode: undefined }],
    ['stuck', atWork, { isStuck: true }],
    ['notified', atWork, { lastNotifiedSeq: 3 }],
    ['toolFailed', atWork, {}],
    ['subagent', atWork, {}],
    ['limited', atWork, { usageLimit: { reason: 'session limit', resetsAt: null } }],
    ['lifted', [...atWork, 'limited'], { usageLimit: null }],
    ['spent', atWork, { budget: { spentUsd: 5.5, budgetUsd: 5 } }],
    ['late', atWork, { isPastDeadline: true }],
    ['requestRejected', atWork, {}],
    ['writeBlocked', atWork, {}],
    ['closed', atWork, { closed: { actor: 'you', reason: 'enough' } }],
    ['reopened', [...atWork, 'closed'], { closed: undefined, isReopened: true }],
    ['resumed', atWork, { lastResume: { time: minute(59), inARow: 2 }, resumesWithoutProgress: 1, problem: undefined }],
  ]
  for (const [name, path, changes] of table) {
    const before = after(...path)
    const event: Event = { seq: 90, time: minute(59), ...samples[name] }
    const phaseStartedAt = changes.phase === undefined ? before.phaseStartedAt : minute(59)
    const { workedMs } = applyEvent(before, event) // It changes with each event, and has a test of its own.
    assert.deepEqual(
      applyEvent(before, event),
      { ...before, ...changes, workedMs, lastSeq: 90, lastEventAt: minute(59), phaseStartedAt },
      name,
    )
    assert.deepEqual(before, after(...path), `${name}: the old status is unchanged`)
  }
})

test('restarts within ten minutes are consecutive', () => {
  const restarted = after('opened', 'runner') // At minute 2, for the first time.
  const restartedAt = Date.parse(minute(2))
  assert.deepEqual(
    [1, 599_999, 600_000].map(ms => countInARow(restarted.lastRestart, restartedAt + ms)),
    [2, 2, 1],
  )
  assert.equal(countInARow(after('opened').lastRestart, restartedAt), 1)
})

test('an answer leads back to planning or working, and resets the counters', () => {
  const planning = after(...beginning, 'rejected', 'rejected', 'turn', 'asked', 'answered')
  assert.deepEqual(
    [planning.phase, planning.question, planning.contractRejections, planning.idleTurns],
    ['planning', null, 0, 0],
  )
  const working = after(...atWork, 'turn', 'stuck', 'helpNeeded', 'answered')
  assert.deepEqual(
    [working.phase, working.isStuck, working.idleTurns, isSettled(working)],
    ['working', false, 0, false],
  )
})

test('a contract that needs approval is a question until it is answered', () => {
  const waiting = after(...beginning, 'turn', 'approvalRequested')
  assert.deepEqual([waiting.phase, isSettled(waiting), isAwaitingApproval(waiting)], ['asking', true, true])
  for (const [name, state] of [
    ['approved', 'given'],
    ['declined', 'declined'],
  ] as const) {
    const status = after(...beginning, 'approvalRequested', name)
    assert.deepEqual([status.phase, status.question, status.approval?.state], ['planning', null, state])
    assert.ok(!isAwaitingApproval(status) && !isSettled(status))
  }
  const prompted = after(...beginning, 'approvalRequested', 'answered')
  assert.deepEqual([prompted.phase, prompted.approval?.state], ['planning', 'asked'], 'a prompt does not approve')
  assert.ok(!isAwaitingApproval(prompted))
})

test('a prompt keeps a valid verdict, and continues after a void one', () => {
  for (const verdict of ['pass', 'fail', 'inconclusive'] satisfies Name[]) {
    const before = after(...judged, verdict)
    assert.equal(after(...judged, verdict, 'answered').phase, before.phase, verdict)
    assert.equal(after(...judged, verdict, 'voided', 'answered').phase, 'working', verdict)
    assert.equal(
      after(...judged, verdict, 'answered', worker('code-2', null)).phase,
      'working',
      'until a worker is queued',
    )
  }
})

test('stuck ends when an agent does something, not with other events', () => {
  for (const passive of [
    'stuck',
    'notified',
    'limited',
    'spent',
    'late',
    'runner',
    'voided',
    'undelivered',
  ] satisfies Name[])
    assert.ok(after(...atWork, 'stuck', passive).isStuck, passive)
  for (const active of [
    'turn',
    'ended',
    'requestRejected',
    'writeBlocked',
    'judging',
    'asked',
    'answered',
  ] satisfies Name[])
    assert.ok(!after(...atWork, 'stuck', active).isStuck, active)
})

test('rounds are counted from the last answer', () => {
  const used = ({ round, roundOffset }: SessionStatus) => round - roundOffset
  const twice: (Name | EventBody)[] = [...judged, 'failNotFinal', judging(2), verdict('FAIL', 2, false)]
  assert.equal(used(after(...twice)), 2)
  assert.equal(used(after(...twice, 'asked', 'answered')), 0)
  assert.equal(used(after(...twice, 'asked', 'answered', judging(3))), 1)
})

test('a verified message resets the rounds each time, an unverified prompt once', () => {
  const left = (...more: (Name | EventBody)[]) => {
    const { round, roundOffset, maxRounds } = after(...judged, verdict('FAIL', 1, false), ...more)
    return maxRounds - (round - roundOffset)
  }
  const again = (round: number): (Name | EventBody)[] => [judging(round), verdict('FAIL', round, false)]
  assert.equal(left(), 2)
  assert.equal(left('asked', 'answered'), 3)
  assert.equal(
    left('asked', 'answered', ...again(2), 'asked', 'answered'),
    2,
    'a forged prompt cannot reset them in a loop',
  )
  assert.equal(left('asked', 'answered', 'delivered', ...again(2), 'asked', 'answered'), 3)
  for (const verified of ['delivered', 'approved', 'declined'] satisfies Name[])
    assert.equal(left('asked', 'answered', ...again(2), 'asked', 'answered', verified), 3, verified)
  const early = after(...beginning, 'asked', 'answered', 'asked', 'answered')
  assert.ok(!early.isResetUnverified, 'without a used round there is nothing to reset')
})

test('a seal or an amendment uses up the approval, and ends its question', () => {
  const amended: EventBody = {
    type: 'contract.amended',
    version: 2,
    sha256: sha('8'),
    clauses: [{ id: 'C1', sentence: 'It works', proof: 'check' }],
    uncoveredSentences: [],
    changes: ['C2 is removed'],
    dilutions: ['C2 is removed'],
  }
  const amendmentRequested: EventBody = { type: 'approval.requested', sha256: sha('8'), previousSha256: sha('c') }
  assert.equal(after(...beginning, 'approvalRequested', 'approved').approval?.state, 'given')
  assert.equal(after(...beginning, 'approvalRequested', 'approved', 'sealed').approval, undefined)
  const asked = after(...beginning, 'sealed', amendmentRequested)
  assert.deepEqual([asked.approval?.previousSha256, isAwaitingApproval(asked)], [sha('c'), true])
  for (const answers of [['approved'], []] satisfies Name[][]) {
    const { approval, phase, question } = after(...beginning, 'sealed', amendmentRequested, ...answers, amended)
    assert.deepEqual([approval, phase, question], [undefined, 'working', null])
  }
  assert.equal(after(...beginning, 'sealed', 'asked', amended).phase, 'asking', 'another question stays')
})

test('a verdict is void until the next one', () => {
  const status = after(...judged, 'pass', 'voided')
  assert.equal(status.verdict?.voidReason, 'a file changed')
  const next = after(...judged, 'pass', 'voided', 'answered', judging(2), verdict('PASS', 2, true))
  assert.deepEqual([next.verdict?.voidReason, computeState(next, 'dead')], [undefined, 'PASS'])
})

test('a new round clears head outcomes and verdicts, and keeps base outcomes', () => {
  const { clauses } = after(...judged, 'failNotFinal', judging(2))
  assert.deepEqual(clauses[0], { id: 'C1', sentence: 'It works', proof: 'check', baseOutcome: 'red', failures: 1 })
})

test('the tests that ran belong to the last run of their side', () => {
  const [some, none] = [
    { ran: 12, failed: 0, skipped: 3 },
    { ran: 0, failed: 0, skipped: 0 },
  ]
  const status = after(
    ...judged,
    { ...check('base', 0, 'red'), tests: none },
    { ...check('head', 1, 'green'), tests: some },
  )
  assert.deepEqual([status.clauses[0]?.baseTests, status.clauses[0]?.headTests], [none, some])
  const next = after(...judged, { ...check('head', 1, 'red'), tests: some }, 'failNotFinal', judging(2))
  assert.equal(next.clauses[0]?.headTests, undefined)
  const amendedCheck = after(...judged, { ...check('base', 0, 'red'), tests: none }, check('base', 0, 'red'))
  assert.equal(amendedCheck.clauses[0]?.baseTests, undefined)
})

test('a worker is blocked until it gets the write lock', () => {
  const listBlockers = (status: SessionStatus) => status.workers.map(({ blockedBy }) => blockedBy)
  assert.deepEqual(listBlockers(after(...atWork, 'waiting')), [null, 'code-1'])
  const granted: EventBody = { type: 'lock.granted', worker: 'code-2', fencingToken: 2 }
  const status = after(...atWork, 'waiting', 'ended', 'released', granted)
  assert.deepEqual(
    [listBlockers(status), status.writeLock, status.lastFencingToken],
    [[null, null], { worker: 'code-2', fencingToken: 2 }, 2],
  )
})

test('every event for people is described in one printable line', () => {
  const silent: Name[] = ['notified', 'free', 'cost']
  for (const name of Object.keys(samples) as Name[]) {
    const description = describeEvent({ seq: 1, time: minute(1), ...samples[name] })
    assert.equal(description === undefined, silent.includes(name), name)
    if (description) assert.match(description.text, /^\P{Cc}+$/u, name)
  }
})

test('the state is one of the known words, whatever the order of events', () => {
  const states = new Set(['opening', 'planning', 'working', 'judging', 'asking', 'needs you', 'failed', 'stopped'])
  for (const word of ['PASS', 'FAIL', 'INCONCLUSIVE']) states.add(word).add(`${word} (void)`)
  states.add('stuck').add('parked').add('interrupted')
  const names = Object.keys(samples) as Name[]
  for (const first of names)
    for (const second of names)
      for (const runner of ['alive', 'dead', 'unknown'] satisfies Liveness[])
        assert.ok(states.has(computeState(after('opened', first, second), runner)), `${first}, ${second}, ${runner}`)
})

test('the time of work leaves out what is no work, and begins again when a person speaks', () => {
  const start = Date.parse(minute(0))
  const compute = (...events: [minutes: number, Name | EventBody][]) =>
    computeStatus(
      events.map(([minutes, what], index) => ({
        seq: index + 1,
        time: new Date(start + minutes * 60_000).toISOString(),
        ...(typeof what === 'string' ? samples[what] : what),
      })) as Event[],
    ).workedMs / 60_000
  const limit: EventBody = { type: 'usage-limit.reached', reason: 'limit', resetsAt: null }
  const lifted: EventBody = { type: 'usage-limit.lifted', source: 'the clock' }
  assert.equal(compute([0, 'opened'], [1, 'started'], [10, 'turn']), 10)
  assert.equal(compute([0, 'opened'], [1, 'started'], [2, limit], [50, lifted], [51, 'turn']), 3, 'parked')
  assert.equal(compute([0, 'opened'], [1, 'started'], [2, 'asked'], [50, 'answered'], [51, 'turn']), 1, 'answered')
  assert.equal(compute([0, 'opened'], [1, 'started'], [50, 'runner'], [51, 'turn']), 2, 'without a runner')
  const slept: EventBody = { type: 'machine.slept', seconds: 2400 }
  assert.equal(compute([0, 'opened'], [1, 'started'], [50, slept], [51, 'turn']), 11, 'asleep')
})

test('what the forge has merged is on the branch once, and what could not be decided is not the end', () => {
  const place = { number: 1, branch: 'main', commit: sha('a'), tree: sha('b') }
  const checked = { ...place, target: sha('c'), reason: 'r', sha256: sha('0'), isOnBranch: true }
  const at = (seq: number, body: object) => ({ seq, time: `2026-11-30T10:00:0${seq}.000Z`, ...body }) as Event
  const undecided = at(1, { type: 'landing.checked', ...checked, result: 'undecided' })
  assert.deepEqual([computeStatus([undecided]).landing?.state, computeStatus([undecided]).landed.length], ['merged', 1])
  const red = at(2, { type: 'landing.checked', ...checked, number: 2, result: 'red' })
  assert.deepEqual(
    [computeStatus([undecided, red]).landing?.state, computeStatus([undecided, red]).landed.length],
    ['unproved', 1],
  )
  const pushed = at(3, { type: 'landing.pushed', ...place, number: 2 })
  const { landing, landed } = computeStatus([undecided, at(2, { ...red, result: 'ready' }), pushed])
  assert.deepEqual([landing?.state, landed.map(({ number }) => number)], ['landed', [2]])
})

test('what a session needs next replaces what it needed before, and only a changed record stays one', () => {
  const needs = (...exitCodes: (number | undefined)[]) => {
    const bodies: EventBody[] = exitCodes.map(exitCode => ({
      type: 'human.needed',
      reason: 'why',
      ...(exitCode === undefined ? {} : { exitCode }),
    }))
    const events = bodies.map((body, index) => ({ ...body, seq: index + 1, time: '2026-11-29T10:00:00.000Z' }) as Event)
    return computeStatus(events).problemExitCode
  }
  assert.equal(needs(7), 7)
  assert.equal(needs(7, undefined), undefined)
  assert.equal(needs(7, 8), 8)
  assert.equal(needs(13, undefined, 7), 13)
})
