import { unreachable } from '../host/index.ts'
import type { Ending, Event, Finding, Outcome, Proof, WorkerKind } from './event.ts'

export interface Clause {
  id: string
  sentence: string
  proof: Proof
  base?: Outcome
  head?: Outcome
  verdict?: Finding
}

export interface Worker {
  name: string
  kind: WorkerKind
  model: string
  clauses: string[]
  files: string[]
  queuedAt: string
  /** The request by which it came. */
  request?: string
  /** Whom it waits for, while it waits for the lock. */
  waitsFor: string | null
  startedAt?: string
  endedAt?: string
  how?: Ending
  why?: string
  changedFiles?: number
  costUsd?: number | null
}

export interface Verdict {
  round: number
  verdict: Finding
  reason: string
  commit: string
  tree: string
  final: boolean
  independence: string
  at: string
  /** The request by which it came. */
  request?: string
  /** Why it no longer counts: something changed after it was given. */
  voided?: string
}

interface Approval {
  sha256: string
  is: 'asked' | 'given' | 'declined'
  /** The sealed contract in whose place it would come. */
  from?: string
  dilutions: string[]
  why: string
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

export interface Status {
  phase: Phase
  /** When this phase began. */
  since: string
  openedAt: string
  /** The last event's number and time. */
  seq: number
  at: string
  title: string
  repository: string | null
  rounds: number
  judgedOnly: boolean
  /** Why nothing holds agents and checks; empty where a sandbox does. */
  unprotected: string
  models: { orchestrator: string; code: string; rw: string; judge: string }
  base?: { commit: string; tree: string }
  /** The commit of the last work that a worker handed in; what stands on top of it is nobody's. */
  accepted?: string
  /** The project's dependencies: how the last setup stands. */
  setup?: { how: 'running' | 'made' | 'cached' | 'failed'; why: string; seconds: number }
  contract?: { sha256: string; version: number; uncovered: string[]; dilutions: string[] }
  clauses: Clause[]
  workers: Worker[]
  lock: { worker: string; token: number } | null
  token: number
  round: number
  /** The round at which a person last spoke: from there the rounds are counted anew. */
  roundBase: number
  /** Was that a prompt that nobody has checked? Such a one counts once; the next must be a word of which we know whose it is. */
  isOnTrust: boolean
  verdict?: Verdict
  question: string | null
  /** The contract that a human was last asked to approve, and what came of it; none once another one is sealed. */
  approval?: Approval | undefined
  trouble?: string
  /** The exit code of a start that failed, or of a trouble that has one of its own. */
  startExit?: number
  troubleExit?: number
  /** Turns the orchestrator tried to end in a row without having asked for anything. */
  idleTurns: number
  /** Contracts refused since anything else happened. */
  refusals: number
  stuck: boolean
  /** The vendor's usage limit, while it lasts. */
  limit: { why: string; until: string | null } | null
  /** What the workers had cost when the budget was last spent. */
  budget?: { spentUsd: number; budgetUsd: number }
  /** Has the deadline passed without a verdict? */
  late: boolean
  /** The last event whose notice is on disk. */
  noticed: number
  /** The last successor of a runner that died, and which in a row it was. */
  successor?: { at: string; inRow: number }
  closed?: { by: string; why: string }
}

export const nothing: Status = {
  phase: 'opening',
  since: '',
  openedAt: '',
  seq: 0,
  at: '',
  title: '',
  repository: null,
  rounds: 0,
  judgedOnly: false,
  unprotected: '',
  models: { orchestrator: '', code: '', rw: '', judge: '' },
  clauses: [],
  workers: [],
  token: 0,
  round: 0,
  roundBase: 0,
  isOnTrust: false,
  refusals: 0,
  idleTurns: 0,
  stuck: false,
  limit: null,
  late: false,
  noticed: 0,
  lock: null,
  question: null,
}

/** Decide what the events add up to. Status is never stored; this is its only source. */
export function statusOf(events: Event[]): Status {
  return events.reduce(advance, nothing)
}

/** The status after one more event. Pure: the old status stays as it was. */
export function advance(before: Status, event: Event): Status {
  const stuck = before.stuck && remarks.has(event.is)
  const after = { ...before, stuck, ...change(before, event), seq: event.seq, at: event.at }
  return after.phase === before.phase && before.seq > 0 ? after : { ...after, since: event.at }
}

/** Events that are no sign of life of an agent. */
const remarks = new Set<Event['is']>([
  'orchestrator.stuck',
  'human.refused',
  'notice.queued',
  'limit.reached',
  'budget.reached',
  'deadline.passed',
  'runner.started',
  'verdict.voided',
])

/** Which in a row would a successor be that starts now? One that lived for ten minutes ends the row. Pure. */
export function nextInRow({ successor }: Status, now: number): number {
  return successor && now - Date.parse(successor.at) < 10 * 60_000 ? successor.inRow + 1 : 1
}

/** Is there nothing more to come unless a person acts? */
export function settled(status: Status): boolean {
  return (
    status.closed !== undefined ||
    ['failed', 'asking', 'needs you', 'PASS', 'FAIL', 'INCONCLUSIVE'].includes(status.phase)
  )
}

function change(before: Status, event: Event): Partial<Status> {
  switch (event.is) {
    case 'session.opened':
      return {
        openedAt: event.at,
        title: event.task.title,
        repository: event.repository,
        rounds: event.rounds,
        judgedOnly: event.judgedOnly,
        unprotected: event.sandbox?.kind ? '' : (event.sandbox?.why ?? 'it began before there was a sandbox'),
        models: event.models,
      }
    case 'base.prepared':
      return { base: { commit: event.commit, tree: event.tree }, accepted: event.commit }
    case 'setup.started':
      return { setup: { how: 'running', why: event.commands.join('; '), seconds: 0 } }
    case 'setup.ended':
      return { setup: { how: event.how, why: event.why, seconds: event.seconds } }
    case 'orchestrator.started':
      return { phase: 'planning' }
    case 'start.failed':
      return { phase: 'failed', trouble: event.why, startExit: event.exit }
    case 'contract.sealed':
      return {
        phase: 'working',
        idleTurns: 0,
        approval: undefined,
        contract: { sha256: event.sha256, version: 1, uncovered: event.uncovered, dilutions: [] },
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(known => known.id === clause.id), ...clause })),
      }
    case 'contract.amended':
      return {
        ...(before.phase === 'asking' && !awaitsApproval(before) ? {} : { phase: 'working', question: null }),
        idleTurns: 0,
        approval: undefined,
        contract: {
          sha256: event.sha256,
          version: event.version,
          uncovered: event.uncovered,
          dilutions: [...(before.contract?.dilutions ?? []), ...event.dilutions],
        },
        clauses: event.clauses.map(clause => ({ ...before.clauses.find(known => known.id === clause.id), ...clause })),
      }
    case 'check.ran':
      return { clauses: withOutcome(before.clauses, event.clause, { [event.side]: event.outcome }) }
    case 'judging.started':
      return {
        phase: 'judging',
        round: event.round,
        clauses: before.clauses.map(({ head: _, verdict: __, ...clause }) => clause),
      }
    case 'verdict.given':
      return verdictGiven(before, event)
    case 'verdict.voided':
      return before.verdict ? { verdict: { ...before.verdict, voided: event.why } } : {}
    case 'question.asked':
      return { phase: 'asking', question: event.question }
    case 'question.answered':
      return {
        phase: resumed(before),
        question: null,
        ...(before.isOnTrust || before.round === before.roundBase ? {} : { roundBase: before.round, isOnTrust: true }),
        refusals: 0,
        idleTurns: 0,
        stuck: false,
      }
    case 'approval.asked':
    case 'contract.approved':
    case 'contract.declined':
      return approvalChange(before, event)
    case 'turn.ended':
      return { idleTurns: event.held ? before.idleTurns + 1 : 0 }
    case 'contract.refused':
      return { refusals: before.refusals + 1 }
    case 'orchestrator.gave-up':
      return {
        phase: 'needs you',
        trouble: event.why,
        ...(event.exit === undefined ? {} : { troubleExit: event.exit }),
      }
    case 'orchestrator.stuck':
      return { stuck: true }
    case 'session.closed':
      return { closed: { by: event.by, why: event.why } }
    case 'worker.queued':
    case 'lock.granted':
    case 'lock.released':
    case 'worker.started':
    case 'worker.ended':
      return workerChange(before, event)
    case 'runner.started':
      return event.generation > 1 ? { successor: { at: event.at, inRow: event.inRow ?? 1 } } : {}
    case 'human.said':
      return { roundBase: before.round, isOnTrust: false }
    case 'human.refused':
    case 'request.refused':
    case 'write.refused':
    case 'changes.set-aside':
    case 'tool.failed':
    case 'subagent.ended':
      return {}
    case 'limit.reached':
      return { limit: { why: event.why, until: event.until } }
    case 'limit.lifted':
      return { limit: null }
    case 'budget.reached':
      return { budget: { spentUsd: event.spentUsd, budgetUsd: event.budgetUsd } }
    case 'deadline.passed':
      return { late: true }
    case 'notice.queued':
      return { noticed: event.of }
    default:
      return unreachable(event)
  }
}

type ApprovalEvent = Extract<Event, { is: 'approval.asked' | 'contract.approved' | 'contract.declined' }>

/** While a contract waits for its approval it is a question like any other; the answer to it is a command. */
function approvalChange(before: Status, event: ApprovalEvent): Partial<Status> {
  const { sha256 } = event
  switch (event.is) {
    case 'approval.asked':
      return {
        phase: 'asking',
        question: before.contract ? 'Approve the amendment of the contract?' : 'Approve the contract?',
        approval: {
          sha256,
          is: 'asked',
          ...(event.from === undefined ? {} : { from: event.from }),
          dilutions: event.dilutions ?? [],
          why: event.why ?? '',
        },
        idleTurns: 0,
      }
    case 'contract.approved':
    case 'contract.declined':
      return {
        phase: before.phase === 'asking' ? resumed(before) : before.phase,
        question: null,
        approval: {
          dilutions: [],
          why: '',
          ...before.approval,
          sha256,
          is: event.is === 'contract.approved' ? 'given' : 'declined',
        },
        roundBase: before.round,
        isOnTrust: false,
        refusals: 0,
        idleTurns: 0,
        stuck: false,
      }
    default:
      return unreachable(event)
  }
}

/** Does it wait for a human to approve its contract? */
export function awaitsApproval({ phase, approval }: Status): boolean {
  return phase === 'asking' && approval?.is === 'asked'
}

type WorkerEvent = Extract<
  Event,
  { is: 'worker.queued' | 'lock.granted' | 'lock.released' | 'worker.started' | 'worker.ended' }
>

function workerChange(before: Status, event: WorkerEvent): Partial<Status> {
  const named = (changes: Partial<Worker>) =>
    before.workers.map(worker => (worker.name === event.worker ? { ...worker, ...changes } : worker))
  switch (event.is) {
    case 'worker.queued': {
      const { worker: name, kind, model, clauses, files, waitsFor, request } = event
      return {
        phase: 'working',
        idleTurns: 0,
        workers: [
          ...before.workers,
          { name, kind, model, clauses, files, waitsFor, queuedAt: event.at, ...asked(request) },
        ],
      }
    }
    case 'lock.granted':
      return {
        lock: { worker: event.worker, token: event.token },
        token: event.token,
        workers: named({ waitsFor: null }),
      }
    case 'lock.released':
      return { lock: null }
    case 'worker.started':
      return { workers: named({ startedAt: event.at, waitsFor: null }) }
    case 'worker.ended':
      return {
        idleTurns: 0,
        ...(event.commit === null ? {} : { accepted: event.commit }),
        workers: named({
          endedAt: event.at,
          how: event.how,
          why: event.why,
          changedFiles: event.files,
          costUsd: event.costUsd,
        }),
      }
    default:
      return unreachable(event)
  }
}

function verdictGiven(before: Status, event: Extract<Event, { is: 'verdict.given' }>): Partial<Status> {
  const { round, verdict, reason, commit, tree, final, independence, at, request } = event
  const clauses = before.clauses.map(clause => ({
    ...clause,
    verdict: event.clauses.find(judged => judged.id === clause.id)?.verdict ?? ('INCONCLUSIVE' as const),
  }))
  const phase = final ? verdict : 'working'
  return {
    phase,
    round,
    clauses,
    idleTurns: 0,
    verdict: { round, verdict, reason, commit, tree, final, independence, at, ...asked(request) },
  }
}

/** By which request it came, where that is known. */
function asked(request: string | undefined): { request?: string } {
  return request === undefined ? {} : { request }
}

/** What goes on when a person has spoken: the work, or the planning. A verdict stands until new work begins. */
function resumed(before: Status): Phase {
  if (before.verdict?.final && !before.verdict.voided && before.phase === before.verdict.verdict) return before.phase
  return before.contract ? 'working' : 'planning'
}

function withOutcome(clauses: Clause[], id: string, found: Partial<Clause>): Clause[] {
  if (clauses.some(clause => clause.id === id))
    return clauses.map(clause => (clause.id === id ? { ...clause, ...found } : clause))
  return [...clauses, { id, sentence: '', proof: 'check', ...found }]
}
