import { unreachable } from '#host/error.ts'
import { MINUTE_MS } from '#host/time.ts'
import type { Event } from '../log/event.ts'
import type { ClauseStatus, Phase, SessionStatus, WorkerStatus } from './status-types.ts'

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
  usageLimit: null,
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
  const after = { ...before, isStuck, ...computeChanges(before, event), lastSeq: event.seq, lastEventAt: event.time }
  return after.phase === before.phase && before.lastSeq > 0 ? after : { ...after, phaseStartedAt: event.time }
}

/** Events that do not show that an agent is alive. */
const passiveEvents = new Set<Event['type']>([
  'orchestrator.stuck',
  'message.rejected',
  'notification.queued',
  'usage-limit.reached',
  'budget.reached',
  'deadline.passed',
  'runner.started',
  'verdict.voided',
])

/**
 * How many restarts in a row would one be that happens at `now` (ms)? A runner that lived for ten minutes ends the row.
 * Pure.
 */
export function countConsecutiveRestarts({ lastRestart }: SessionStatus, now: number): number {
  return lastRestart && now - Date.parse(lastRestart.time) < RESTART_WINDOW_MS ? lastRestart.consecutiveRestarts + 1 : 1
}

/** Will nothing more happen unless a human acts? */
export function isSettled(status: SessionStatus): boolean {
  return (
    status.closed !== undefined ||
    ['failed', 'asking', 'needs you', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  )
}

const RESTART_WINDOW_MS = 10 * MINUTE_MS

// --- internal ---

function computeChanges(before: SessionStatus, event: Event): Partial<SessionStatus> {
  switch (event.type) {
    case 'session.opened':
      return {
        openedAt: event.time,
        title: event.task.title,
        repository: event.repository,
        maxRounds: event.maxRounds,
        allowsJudgedOnly: event.allowsJudgedOnly,
        noSandboxReason: event.sandbox?.kind ? '' : (event.sandbox?.reason ?? 'the session is older than the sandbox'),
        models: event.models,
      }
    case 'base.prepared':
      return { base: { commit: event.commit, tree: event.tree }, acceptedCommit: event.commit }
    case 'dependencies.started':
      return { dependencies: { state: 'running', reason: event.commands.join('; '), seconds: 0 } }
    case 'dependencies.ended':
      return { dependencies: { state: event.result, reason: event.reason, seconds: event.seconds } }
    case 'orchestrator.started':
      return { phase: 'planning' }
    case 'start.failed':
      return { phase: 'failed', problem: event.reason, startExitCode: event.exitCode }
    case 'contract.sealed':
      return {
        phase: 'working',
        idleTurns: 0,
        approval: undefined,
        contract: { sha256: event.sha256, version: 1, uncoveredSentences: event.uncoveredSentences, dilutions: [] },
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(({ id }) => id === clause.id), ...clause })),
      }
    case 'contract.amended':
      return {
        ...(before.phase === 'asking' && !isAwaitingApproval(before) ? {} : { phase: 'working', question: null }),
        idleTurns: 0,
        approval: undefined,
        contract: {
          sha256: event.sha256,
          version: event.version,
          uncoveredSentences: event.uncoveredSentences,
          dilutions: [...(before.contract?.dilutions ?? []), ...event.dilutions],
        },
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(({ id }) => id === clause.id), ...clause })),
      }
    case 'check.ran':
      return { clauses: applyOutcome(before.clauses, event) }
    case 'judging.started':
      return {
        phase: 'judging',
        round: event.round,
        clauses: before.clauses.map(({ headOutcome: _, verdict: __, ...clause }) => clause),
      }
    case 'verdict.given':
      return applyVerdict(before, event)
    case 'verdict.voided':
      return before.verdict ? { verdict: { ...before.verdict, voidReason: event.reason } } : {}
    case 'question.asked':
      return { phase: 'asking', question: event.question }
    case 'question.answered':
      return {
        phase: nextPhase(before),
        question: null,
        ...(before.isResetUnverified || before.round === before.roundOffset
          ? {}
          : { roundOffset: before.round, isResetUnverified: true }),
        contractRejections: 0,
        idleTurns: 0,
        isStuck: false,
      }
    case 'approval.requested':
    case 'contract.approved':
    case 'contract.declined':
      return applyApproval(before, event)
    case 'turn.ended':
      return { idleTurns: event.isBlocked ? before.idleTurns + 1 : 0 }
    case 'contract.rejected':
      return { contractRejections: before.contractRejections + 1 }
    case 'human.needed':
      return {
        phase: 'needs you',
        problem: event.reason,
        ...(event.exitCode === undefined ? {} : { problemExitCode: event.exitCode }),
      }
    case 'orchestrator.stuck':
      return { isStuck: true }
    case 'session.closed':
      return { closed: { actor: event.actor, reason: event.reason } }
    case 'worker.queued':
    case 'lock.granted':
    case 'lock.released':
    case 'worker.started':
    case 'worker.ended':
      return applyWorkerEvent(before, event)
    case 'runner.started':
      return event.generation > 1
        ? { lastRestart: { time: event.time, consecutiveRestarts: event.consecutiveRestarts ?? 1 } }
        : {}
    case 'message.delivered':
      return { roundOffset: before.round, isResetUnverified: false }
    case 'message.rejected':
    case 'request.rejected':
    case 'write.blocked':
    case 'changes.quarantined':
    case 'tool.failed':
    case 'subagent.ended':
      return {}
    case 'usage-limit.reached':
      return { usageLimit: { reason: event.reason, resetsAt: event.resetsAt } }
    case 'usage-limit.lifted':
      return { usageLimit: null }
    case 'budget.reached':
      return { budget: { spentUsd: event.spentUsd, budgetUsd: event.budgetUsd } }
    case 'deadline.passed':
      return { isPastDeadline: true }
    case 'notification.queued':
      return { lastNotifiedSeq: event.eventSeq }
    default:
      return unreachable(event)
  }
}

type ApprovalEvent = Extract<Event, { type: 'approval.requested' | 'contract.approved' | 'contract.declined' }>

/** A contract that needs approval is a question, which the human answers with a command. */
function applyApproval(before: SessionStatus, event: ApprovalEvent): Partial<SessionStatus> {
  const { sha256 } = event
  switch (event.type) {
    case 'approval.requested':
      return {
        phase: 'asking',
        question: before.contract ? 'Approve the amendment of the contract?' : 'Approve the contract?',
        approval: {
          sha256,
          state: 'asked',
          ...(event.previousSha256 === undefined ? {} : { previousSha256: event.previousSha256 }),
          dilutions: event.dilutions ?? [],
          reason: event.reason ?? '',
        },
        idleTurns: 0,
      }
    case 'contract.approved':
    case 'contract.declined':
      return {
        phase: before.phase === 'asking' ? nextPhase(before) : before.phase,
        question: null,
        approval: {
          dilutions: [],
          reason: '',
          ...before.approval,
          sha256,
          state: event.type === 'contract.approved' ? 'given' : 'declined',
        },
        roundOffset: before.round,
        isResetUnverified: false,
        contractRejections: 0,
        idleTurns: 0,
        isStuck: false,
      }
    default:
      return unreachable(event)
  }
}

/** Does a contract need a human's approval right now? */
export function isAwaitingApproval({ phase, approval }: SessionStatus): boolean {
  return phase === 'asking' && approval?.state === 'asked'
}

type WorkerEvent = Extract<
  Event,
  { type: 'worker.queued' | 'lock.granted' | 'lock.released' | 'worker.started' | 'worker.ended' }
>

function applyWorkerEvent(before: SessionStatus, event: WorkerEvent): Partial<SessionStatus> {
  const update = (changes: Partial<WorkerStatus>) =>
    before.workers.map(worker => (worker.name === event.worker ? { ...worker, ...changes } : worker))
  switch (event.type) {
    case 'worker.queued': {
      const { worker: name, kind, model, clauses, files, blockedBy, requestId } = event
      return {
        phase: 'working',
        idleTurns: 0,
        workers: [
          ...before.workers,
          { name, kind, model, clauses, files, blockedBy, queuedAt: event.time, ...requestField(requestId) },
        ],
      }
    }
    case 'lock.granted':
      return {
        writeLock: { worker: event.worker, fencingToken: event.fencingToken },
        lastFencingToken: event.fencingToken,
        workers: update({ blockedBy: null }),
      }
    case 'lock.released':
      return { writeLock: null }
    case 'worker.started':
      return { workers: update({ startedAt: event.time, blockedBy: null }) }
    case 'worker.ended':
      return {
        idleTurns: 0,
        ...(event.commit === null ? {} : { acceptedCommit: event.commit }),
        workers: update({
          endedAt: event.time,
          ending: event.ending,
          reason: event.reason,
          changedFiles: event.changedFiles,
          costUsd: event.costUsd,
        }),
      }
    default:
      return unreachable(event)
  }
}

function applyVerdict(before: SessionStatus, event: Extract<Event, { type: 'verdict.given' }>): Partial<SessionStatus> {
  const { round, verdict, reason, commit, tree, isFinal, independence, time, requestId } = event
  const clauses = before.clauses.map(clause => ({
    ...clause,
    verdict: event.clauses.find(({ id }) => id === clause.id)?.verdict ?? ('INCONCLUSIVE' as const),
  }))
  const phase = isFinal ? verdict : 'working'
  return {
    phase,
    round,
    clauses,
    idleTurns: 0,
    verdict: { round, verdict, reason, commit, tree, isFinal, independence, time, ...requestField(requestId) },
  }
}

function requestField(requestId: string | undefined): { requestId?: string } {
  return requestId === undefined ? {} : { requestId }
}

/** The phase after a human's answer. A valid verdict stays until new work begins. */
function nextPhase(before: SessionStatus): Phase {
  if (before.verdict?.isFinal && !before.verdict.voidReason && before.phase === before.verdict.verdict)
    return before.phase
  return before.contract ? 'working' : 'planning'
}

function applyOutcome(
  clauses: ClauseStatus[],
  { clauseId, side, outcome }: Extract<Event, { type: 'check.ran' }>,
): ClauseStatus[] {
  const changes: Partial<ClauseStatus> = side === 'base' ? { baseOutcome: outcome } : { headOutcome: outcome }
  if (clauses.some(({ id }) => id === clauseId))
    return clauses.map(clause => (clause.id === clauseId ? { ...clause, ...changes } : clause))
  return [...clauses, { id: clauseId, sentence: '', proof: 'check', ...changes }]
}
