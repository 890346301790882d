import { exitCodes } from '#host/error.ts'
import type { Event, EventTable, EventType, Verdict } from '../log/event.ts'
import { isAwaitingApproval } from './conditions.ts'
import { landingChanges } from './landing-changes.ts'
import type { ApprovalStatus, ClauseStatus, Phase, SessionStatus, WorkerStatus } from './status-types.ts'
import { settleCost } from './worker-cost.ts'

/** What an event changes in the status. Pure: the old status is not changed. */
export function computeChanges<Type extends EventType>(
  before: SessionStatus,
  event: Event<Type>,
): Partial<SessionStatus> {
  return changes[event.type](event, before)
}

// --- internal ---

const changes: EventTable<Partial<SessionStatus>, [before: SessionStatus]> = {
  'session.opened': ({ time, task, repository, maxRounds, allowsJudgedOnly, sandbox, models }) => ({
    openedAt: time,
    title: task.title,
    repository,
    maxRounds,
    allowsJudgedOnly,
    noSandboxReason: sandbox?.kind ? '' : (sandbox?.reason ?? 'the session is older than the sandbox'),
    models,
  }),
  'session.closed': ({ actor, reason }) => ({ closed: { actor, reason } }),
  ...landingChanges,
  'session.reopened': (_, before) => ({
    closed: undefined,
    isReopened: true,
    lastResume: undefined,
    // Its question, and a round that waits for the judge, wait on.
    ...(before.phase === 'asking' || (before.phase === 'judging' && before.judgeWait !== null)
      ? {}
      : { ...answered, phase: computeNextPhase(before) }),
  }),
  'runner.started': ({ generation, time, version, consecutiveRestarts = 1 }) => ({
    runnerVersion: version,
    ...(generation > 1 ? { lastRestart: { time, inARow: consecutiveRestarts } } : {}),
  }),
  'base.prepared': ({ commit, tree }) => ({ base: { commit, tree }, acceptedCommit: commit }),
  'dependencies.started': ({ commands }) => ({
    dependencies: { state: 'running', reason: commands.join('; '), seconds: 0 },
  }),
  'dependencies.ended': ({ result, reason, seconds }) => ({ dependencies: { state: result, reason, seconds } }),
  'orchestrator.started': () => ({ phase: 'planning' }),
  'start.failed': ({ reason, exitCode }) => ({ phase: 'failed', problem: reason, startExitCode: exitCode }),

  'contract.rejected': (_, { contractRejections }) => ({ contractRejections: contractRejections + 1 }),
  'contract.sealed': (event, before) => ({ phase: 'working', ...applyVersion(event, before, 1, []) }),
  'contract.amended': (event, before) => ({
    ...(before.phase === 'asking' && !isAwaitingApproval(before) ? {} : { phase: 'working', question: null }),
    judgeWait: null,
    judgeQuestion: undefined, // It was about the version before.
    ...applyVersion(event, before, event.version, [...(before.contract?.dilutions ?? []), ...event.dilutions]),
  }),
  // A contract that needs approval is a question, which the human answers with a command.
  'approval.requested': ({ sha256, previousSha256, dilutions = [], reason = '' }, { contract }) => ({
    phase: 'asking',
    question: contract ? 'Approve the amendment of the contract?' : 'Approve the contract?',
    approval: {
      sha256,
      state: 'asked',
      dilutions,
      reason,
      ...(previousSha256 === undefined ? {} : { previousSha256 }),
    },
    idleTurns: 0,
  }),
  'contract.approved': ({ sha256 }, before) => answerApproval(before, sha256, 'given'),
  'contract.declined': ({ sha256 }, before) => answerApproval(before, sha256, 'declined'),

  'worker.queued': ({ seq: _, type: __, time: queuedAt, worker: name, ...worker }, { workers }) => ({
    phase: 'working',
    idleTurns: 0,
    judgeWait: null, // There will be other work to judge.
    workers: [...workers, { name, queuedAt, ...worker }],
  }),
  'lock.granted': ({ worker, fencingToken }, before) => ({
    writeLock: { worker, fencingToken },
    lastFencingToken: fencingToken,
    workers: updateWorker(before, worker, { blockedBy: null }),
  }),
  'lock.released': () => ({ writeLock: null }),
  'worker.started': ({ worker, time }, before) => ({
    workers: updateWorker(before, worker, { startedAt: time, blockedBy: null }),
  }),
  'worker.ended': ({ worker, time, ending, reason, commit, changedFiles, costUsd }, before) => ({
    idleTurns: 0,
    ...(before.usageLimit?.worker === worker ? { usageLimit: null } : {}),
    remarks: omitRemarks(before, worker),
    ...(commit === null ? {} : { acceptedCommit: commit }),
    workers: updateWorker(before, worker, {
      endedAt: time,
      ending,
      reason,
      changedFiles,
      ...settleCost(before, worker, costUsd),
    }),
  }),
  'worker.parked': ({ worker, time, resetsAt, reason, commit, costUsd }, before) => ({
    ...(commit === null ? {} : { acceptedCommit: commit }),
    workers: updateWorker(before, worker, {
      startedAt: undefined,
      parked: { since: time, resetsAt, reason },
      ...settleCost(before, worker, costUsd),
    }),
  }),
  'worker.interrupted': ({ worker, attempt }, before) => ({
    remarks: omitRemarks(before, worker),
    workers: updateWorker(before, worker, {
      startedAt: undefined,
      interruptions: attempt,
      ...settleCost(before, worker, null),
    }),
  }),

  'judging.started': ({ round }, { clauses }) => ({
    phase: 'judging',
    round,
    judgeWait: null,
    clauses: clauses.map(({ headOutcome: _, headTests: __, verdict: ___, ...clause }) => clause),
  }),
  'check.ran': ({ clauseId, side, outcome, tests }, { clauses }) => {
    const known = clauses.some(({ id }) => id === clauseId)
      ? clauses
      : [...clauses, { id: clauseId, sentence: '', proof: 'check' as const }]
    const [outcomeKey, testsKey] =
      side === 'base' ? (['baseOutcome', 'baseTests'] as const) : (['headOutcome', 'headTests'] as const)
    return {
      clauses: known.map(clause => {
        if (clause.id !== clauseId) return clause
        const { [testsKey]: _, ...others } = clause
        return { ...others, [outcomeKey]: outcome, ...(tests !== undefined && { [testsKey]: tests }) }
      }),
    }
  },
  'judge.checked': ({ problem }) => ({ judgeProblem: problem }),
  'judge.asked': ({ round, sha256 }) => ({ judgeQuestion: { round, sha256 } }),
  'judging.parked': ({ round, reason, attempts, nextAt, until }) => ({
    judgeWait: { round, reason, attempts, nextAt, until },
  }),
  'judging.requested': ({ round, time, until }, { judgeWait, phase, verdict, closed }) => ({
    judgeWait: { round, reason: '', attempts: 0, until, ...judgeWait, nextAt: time },
    ...(phase === verdict?.verdict && closed === undefined ? { phase: 'judging' } : {}),
  }),
  'verdict.given': ({ seq: _, type: __, sha256: ___, clauses: verdicts, ...verdict }, before) => {
    const findVerdict = (clauseId: string) => verdicts.find(({ id }) => id === clauseId)?.verdict
    return {
      phase: verdict.isFinal ? verdict.verdict : before.isTimeUp ? 'needs you' : 'working',
      round: verdict.round,
      clauses: before.clauses.map(clause => judgeClause(clause, findVerdict(clause.id) ?? 'INCONCLUSIVE')),
      idleTurns: 0,
      verdict,
      judgeWait: null,
      ...(verdict.independence === 'none' ? {} : { judgeProblem: '' }),
      ...(verdict.round === before.judgeQuestion?.round ? {} : { judgeQuestion: undefined }),
    }
  },
  'verdict.restored': (_, { verdict }) => {
    if (!verdict) return {}
    const { voidReason: __, ...valid } = verdict
    return { phase: verdict.verdict, verdict: valid }
  },
  'verdict.voided': ({ reason }, { verdict }) => (verdict ? { verdict: { ...verdict, voidReason: reason } } : {}),

  'question.asked': ({ question }) => ({ phase: 'asking', question }),
  'question.answered': (_, before) => ({
    ...answered,
    phase: computeNextPhase(before),
    ...(before.isResetUnverified || before.round === before.roundOffset
      ? {}
      : { roundOffset: before.round, isResetUnverified: true }),
  }),
  'message.delivered': (_, { round }) => ({
    roundOffset: round,
    isResetUnverified: false,
    lastResume: undefined,
    workedMs: 0,
    isTimeUp: false,
  }),
  'human.needed': ({ reason, exitCode }, { problemExitCode }) => ({
    phase: 'needs you',
    problem: reason,
    // A record that was changed stays changed, whatever is needed next.
    problemExitCode: problemExitCode === exitCodes.integrity ? problemExitCode : exitCode,
  }),
  'turn.ended': ({ isBlocked }, { idleTurns }) => ({ idleTurns: isBlocked ? idleTurns + 1 : 0 }),
  'orchestrator.stuck': () => ({ isStuck: true }),

  'usage-limit.reached': ({ reason, resetsAt, worker }) => ({
    usageLimit: { reason, resetsAt, ...(worker === undefined ? {} : { worker }) },
  }),
  'usage-limit.lifted': () => ({ usageLimit: null }),
  'cost.reported': ({ usd, runUsd, unpricedModel }, { orchestratorCost }) => ({
    orchestratorCost: { usd, runUsd, unpricedModel: unpricedModel ?? orchestratorCost?.unpricedModel },
  }),
  'cost.estimated': ({ worker, usd }, before) => ({ workers: updateWorker(before, worker, { inFlightUsd: usd }) }),
  'orchestrator.resumed': ({ time, consecutiveResumes }, { resumesWithoutProgress }) => ({
    isReopened: false,
    problem: undefined,
    ...(consecutiveResumes === undefined
      ? {}
      : {
          lastResume: { time, inARow: consecutiveResumes },
          resumesWithoutProgress: resumesWithoutProgress + 1,
        }),
  }),
  'command.repeated': ({ agent, target, times, isOver }, before) => {
    const text = `${agent} has run the same command ${times} times or more, with the same result: ${target}`
    return { remarks: [...omitRemarks(before, agent), ...(isOver ? [] : [{ agent, text }])] }
  },
  'budget.reached': ({ spentUsd, budgetUsd }) => ({ budget: { spentUsd, budgetUsd } }),
  'time-limit.reached': ({ workedSeconds, limitSeconds }) => ({
    phase: 'needs you',
    problem: `it has worked for ${workedSeconds} s, and SESSION_TIMEOUT_SEC=${limitSeconds} allows no more`,
    isTimeUp: true,
  }),
  'deadline.passed': () => ({ isPastDeadline: true }),
  'notification.queued': ({ eventSeq }) => ({ lastNotifiedSeq: eventSeq }),

  'worker.hung': keepStatus,
  'session.slept': keepStatus,
  'machine.slept': keepStatus,
  'disk.low': keepStatus,
  'message.rejected': keepStatus,
  'request.rejected': keepStatus,
  'write.blocked': keepStatus,
  'changes.quarantined': keepStatus,
  'tool.failed': keepStatus,
  'subagent.ended': keepStatus,
}

function keepStatus(): Partial<SessionStatus> {
  return {}
}

/** What a human's answer resets. */
const answered = {
  question: null,
  contractRejections: 0,
  idleTurns: 0,
  isStuck: false,
  lastResume: undefined,
  workedMs: 0,
  isTimeUp: false,
}

/** The phase after a human's answer. A valid verdict stays until new work begins. */
function computeNextPhase({ verdict, phase, contract }: SessionStatus): Phase {
  if (verdict?.isFinal && !verdict.voidReason && phase === verdict.verdict) return phase
  return contract ? 'working' : 'planning'
}

function answerApproval(before: SessionStatus, sha256: string, state: ApprovalStatus['state']): Partial<SessionStatus> {
  return {
    ...answered,
    phase: before.phase === 'asking' ? computeNextPhase(before) : before.phase,
    approval: { dilutions: [], reason: '', ...before.approval, sha256, state },
    roundOffset: before.round,
    isResetUnverified: false,
  }
}

function applyVersion(
  { sha256, uncoveredSentences, excludedSentences = [], clauses }: Event<'contract.sealed' | 'contract.amended'>,
  before: SessionStatus,
  version: number,
  dilutions: string[],
): Partial<SessionStatus> {
  return {
    idleTurns: 0,
    approval: undefined,
    contract: { sha256, version, uncoveredSentences, excludedSentences, dilutions },
    clauses: clauses.map(clause => ({ ...before.clauses.find(({ id }) => id === clause.id), ...clause })),
  }
}

/** A clause with its verdict of this round. */
function judgeClause(clause: ClauseStatus, verdict: Verdict): ClauseStatus {
  return { ...clause, verdict, ...(verdict === 'FAIL' ? { failures: (clause.failures ?? 0) + 1 } : {}) }
}

function omitRemarks({ remarks }: SessionStatus, name: string): SessionStatus['remarks'] {
  return remarks.filter(({ agent }) => agent !== name)
}

function updateWorker({ workers }: SessionStatus, name: string, changes: Partial<WorkerStatus>): WorkerStatus[] {
  return workers.map(worker => (worker.name === name ? { ...worker, ...changes } : worker))
}
