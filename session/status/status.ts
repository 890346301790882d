import { SECOND_MS } from '#host/time.ts'
import type { Event } from '../log/event.ts'
import { computeChanges } from './changes.ts'
import { isAtWork } from './conditions.ts'
import type { SessionStatus } from './status-types.ts'

export const initialStatus: SessionStatus = {
  phase: 'opening',
  phaseStartedAt: '',
  openedAt: '',
  lastSeq: 0,
  lastEventAt: '',
  title: '',
  repository: null,
  maxRounds: 0,
  allowsJudgedOnly: false,
  noSandboxReason: '',
  models: { orchestrator: '', code: '', rw: '', judge: '' },
  clauses: [],
  workers: [],
  lastFencingToken: 0,
  round: 0,
  roundOffset: 0,
  isResetUnverified: false,
  contractRejections: 0,
  idleTurns: 0,
  isStuck: false,
  remarks: [],
  landed: [],
  overlaps: [],
  isReopened: false,
  lastResume: undefined,
  resumesWithoutProgress: 0,
  usageLimit: null,
  judgeWait: null,
  workedMs: 0,
  isTimeUp: false,
  isPastDeadline: false,
  lastNotifiedSeq: 0,
  writeLock: null,
  question: null,
}

/** Add up the events of a session. The status is never stored: this is its only source. Pure. */
export function computeStatus(events: Event[]): SessionStatus {
  return events.reduce(applyEvent, initialStatus)
}

/** Compute the status after one more event. Pure: the old status is not changed. */
export function applyEvent(before: SessionStatus, event: Event): SessionStatus {
  const isStuck = before.isStuck && passiveEvents.has(event.type)
  const workedMs = Math.max(0, before.workedMs + measureWork(before, event))
  const resumesWithoutProgress = progressEvents.has(event.type) ? 0 : before.resumesWithoutProgress
  const after = {
    ...before,
    isStuck,
    workedMs,
    resumesWithoutProgress,
    ...computeChanges(before, event),
    lastSeq: event.seq,
    lastEventAt: event.time,
  }
  return after.phase === before.phase && before.lastSeq > 0 ? after : { ...after, phaseStartedAt: event.time }
}

/** The time from the event before to this one, if the session worked meanwhile. Nothing is known of a time without a runner. */
function measureWork(before: SessionStatus, event: Event): number {
  if (before.lastSeq === 0 || event.type === 'runner.started' || !isAtWork(before)) return 0
  const sleptMs = event.type === 'machine.slept' ? event.seconds * SECOND_MS : 0
  return Math.max(0, Date.parse(event.time) - Date.parse(before.lastEventAt)) - sleptMs
}

const progressEvents = new Set<Event['type']>([
  'contract.sealed',
  'contract.amended',
  'worker.queued',
  'worker.ended',
  'verdict.given',
  'message.delivered',
  'question.answered',
  'contract.approved',
  'contract.declined',
  'session.reopened',
])

/** Events that do not show that an agent is alive. */
const passiveEvents = new Set<Event['type']>([
  'orchestrator.stuck',
  'message.rejected',
  'notification.queued',
  'usage-limit.reached',
  'worker.parked',
  'worker.hung',
  'command.repeated',
  'worker.interrupted',
  'orchestrator.resumed',
  'judge.checked',
  'judge.asked',
  'judging.parked',
  'judging.requested',
  'cost.reported',
  'cost.estimated',
  'budget.reached',
  'deadline.passed',
  'time-limit.reached',
  'machine.slept',
  'disk.low',
  'session.slept',
  'runner.started',
  'verdict.voided',
  'verdict.restored',
  'landing.checked',
  'landing.refused',
  'landing.pushed',
  'landing.overlapped',
  'pull-request.prepared',
  'pull-request.opened',
])
