import { unreachable } from '#host/error.ts'
import type { Event, Outcome, ProofKind, Verdict, WorkerEnding, WorkerKind } from '../log/event.ts'
export interface ClauseStatus {
  id: string
  sentence: string
  proof: ProofKind
  baseOutcome?: Outcome
  headOutcome?: Outcome
  verdict?: Verdict
}

export interface WorkerStatus {
  name: string
  kind: WorkerKind
  model: string
  clauses: string[]
  files: string[]
  queuedAt: string
  /** The request by which it came. */
  requestId?: string
  /** Whom it waits for, while it waits for the lock. */
  blockedBy: string | null
  startedAt?: string
  endedAt?: string
  ending?: WorkerEnding
  reason?: string
  changedFiles?: number
  costUsd?: number | null
}

export interface VerdictState {
  round: number
  verdict: Verdict
  reason: string
  commit: string
  tree: string
  isFinal: boolean
  independence: string
  time: string
  /** The request by which it came. */
  requestId?: string
  /** Why it no longer counts: something changed after it was given. */
  voidReason?: string
}

interface ApprovalStatus {
  sha256: string
  state: 'asked' | 'given' | 'declined'
  /** The sealed contract in whose place it would come. */
  previousSha256?: string
  dilutions: string[]
  reason: string
}

/**
 * Where a session stands.
 *
 *   opening -> planning -> working <-> judging -> PASS | FAIL | INCONCLUSIVE
 *      |          |   \       |  \
 *   failed      asking    asking  needs you        (and `closed` from anywhere)
 */
export type Phase =
  | 'opening'
  | 'failed'
  | 'planning'
  | 'working'
  | 'judging'
  | 'asking'
  | 'needs you'
  | 'PASS'
  | 'FAIL'
  | 'INCONCLUSIVE'

export interface SessionStatus {
  phase: Phase
  /** When this phase began. */
  phaseStartedAt: string
  openedAt: string
  /** The last event's number and time. */
  lastSeq: number
  lastEventAt: string
  title: string
  repository: string | null
  maxRounds: number
  allowsJudgedOnly: boolean
  /** Why nothing holds agents and checks; empty where a sandbox does. */
  noSandboxReason: string
  models: { orchestrator: string; code: string; rw: string; judge: string }
  base?: { commit: string; tree: string }
  /** The commit of the last work that a worker handed in; what stands on top of it is nobody's. */
  acceptedCommit?: string
  /** The project's dependencies: how the last setup stands. */
  dependencies?: { state: 'running' | 'made' | 'cached' | 'failed'; reason: string; seconds: number }
  contract?: { sha256: string; version: number; uncoveredSentences: string[]; dilutions: string[] }
  clauses: ClauseStatus[]
  workers: WorkerStatus[]
  writeLock: { worker: string; fencingToken: number } | null
  lastFencingToken: number
  round: number
  /** The round at which a person last spoke: from there the rounds are counted anew. */
  roundOffset: number
  /** Was that a prompt that nobody has checked? Such a one counts once; the next must be a word of which we know whose it is. */
  isResetUnverified: boolean
  verdict?: VerdictState
  question: string | null
  /** The contract that a human was last asked to approve, and what came of it; none once another one is sealed. */
  approval?: ApprovalStatus | undefined
  problem?: string
  /** The exit code of a start that failed, or of a trouble that has one of its own. */
  startExitCode?: number
  problemExitCode?: number
  /** Turns the orchestrator tried to end in a row without having asked for anything. */
  idleTurns: number
  /** Contracts refused since anything else happened. */
  contractRejections: number
  isStuck: boolean
  /** The vendor's usage limit, while it lasts. */
  usageLimit: { reason: string; resetsAt: string | null } | null
  /** What the workers had cost when the budget was last spent. */
  budget?: { spentUsd: number; budgetUsd: number }
  /** Has the deadline passed without a verdict? */
  isPastDeadline: boolean
  /** The last event whose notice is on disk. */
  lastNotifiedSeq: number
  /** The last successor of a runner that died, and which in a row it was. */
  lastRestart?: { time: string; consecutiveRestarts: number }
  closed?: { actor: string; reason: string }
}

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

/** Decide what the events add up to. Status is never stored; this is its only source. */
export function computeStatus(events: Event[]): SessionStatus {
  return events.reduce(applyEvent, initialStatus)
}

/** The status after one more event. Pure: the old status stays as it was. */
export function applyEvent(before: SessionStatus, event: Event): SessionStatus {
  const isStuck = before.isStuck && passiveEvents.has(event.type)
  const after = { ...before, isStuck, ...applyChange(before, event), lastSeq: event.seq, lastEventAt: event.time }
  return after.phase === before.phase && before.lastSeq > 0 ? after : { ...after, phaseStartedAt: event.time }
}

/** Events that are no sign of life of an agent. */
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

/** Which in a row would a successor be that starts now? One that lived for ten minutes ends the row. Pure. */
export function countConsecutiveRestarts({ lastRestart }: SessionStatus, now: number): number {
  return lastRestart && now - Date.parse(lastRestart.time) < 10 * 60_000 ? lastRestart.consecutiveRestarts + 1 : 1
}

/** Is there nothing more to come unless a person acts? */
export function isSettled(status: SessionStatus): boolean {
  return (
    status.closed !== undefined ||
    ['failed', 'asking', 'needs you', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  )
}

function applyChange(before: SessionStatus, event: Event): Partial<SessionStatus> {
  switch (event.type) {
    case 'session.opened':
      return {
        openedAt: event.time,
        title: event.task.title,
        repository: event.repository,
        maxRounds: event.maxRounds,
        allowsJudgedOnly: event.allowsJudgedOnly,
        noSandboxReason: event.sandbox?.kind ? '' : (event.sandbox?.reason ?? 'it began before there was a sandbox'),
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
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(known => known.id === clause.id), ...clause })),
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
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(known => known.id === clause.id), ...clause })),
      }
    case 'check.ran':
      return {
        clauses: setOutcome(
          before.clauses,
          event.clauseId,
          event.side === 'base' ? { baseOutcome: event.outcome } : { headOutcome: event.outcome },
        ),
      }
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

/** While a contract waits for its approval it is a question like any other; the answer to it is a command. */
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

/** Does it wait for a human to approve its contract? */
export function isAwaitingApproval({ phase, approval }: SessionStatus): boolean {
  return phase === 'asking' && approval?.state === 'asked'
}

type WorkerEvent = Extract<
  Event,
  { type: 'worker.queued' | 'lock.granted' | 'lock.released' | 'worker.started' | 'worker.ended' }
>

function applyWorkerEvent(before: SessionStatus, event: WorkerEvent): Partial<SessionStatus> {
  const named = (changes: Partial<WorkerStatus>) =>
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
        workers: named({ blockedBy: null }),
      }
    case 'lock.released':
      return { writeLock: null }
    case 'worker.started':
      return { workers: named({ startedAt: event.time, blockedBy: null }) }
    case 'worker.ended':
      return {
        idleTurns: 0,
        ...(event.commit === null ? {} : { acceptedCommit: event.commit }),
        workers: named({
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
    verdict: event.clauses.find(judged => judged.id === clause.id)?.verdict ?? ('INCONCLUSIVE' as const),
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

/** By which request it came, where that is known. */
function requestField(request: string | undefined): { requestId?: string } {
  return request === undefined ? {} : { requestId: request }
}

/** What goes on when a person has spoken: the work, or the planning. A verdict stands until new work begins. */
function nextPhase(before: SessionStatus): Phase {
  if (before.verdict?.isFinal && !before.verdict.voidReason && before.phase === before.verdict.verdict)
    return before.phase
  return before.contract ? 'working' : 'planning'
}

function setOutcome(clauses: ClauseStatus[], id: string, found: Partial<ClauseStatus>): ClauseStatus[] {
  if (clauses.some(clause => clause.id === id))
    return clauses.map(clause => (clause.id === id ? { ...clause, ...found } : clause))
  return [...clauses, { id, sentence: '', proof: 'check', ...found }]
}
