import { isOtherBuild } from '#host/installed-code'
import { unescapePattern } from '#host/path-pattern.ts'
import { formatCount } from '#host/text.ts'
import {
  describeCost,
  describeEvent,
  describeJudge,
  describeJudgeWait,
  type Event,
  type EvidenceRecord,
  isAwaitingApproval,
  isSettled,
  type SessionStatus,
  type SessionView,
  type VerdictRecord,
} from '#session/readonly.ts'
import { type Badge, createBadge, formatAge, formatClock, formatDateTime, formatDuration } from '../format.ts'
import { buildClauseRows, buildEvidenceRows } from './contract.ts'
import { formatTitle, getRefreshMs } from './list.ts'
import { buildWorkSection, type WorkData } from './work.ts'

const MAX_EVENTS = 500
const SHORT_COMMIT_CHARS = 10
const SHORT_HASH_CHARS = 16

type WorkerStatus = SessionStatus['workers'][number]
type VerdictState = NonNullable<SessionStatus['verdict']>

/** What is read of a session for its page. */
export interface SessionData {
  view: SessionView
  events: Event[]
  evidence: EvidenceRecord[]
  /** The record of the current verdict. */
  verdictRecord: VerdictRecord | undefined
  files: string[]
  work: WorkData
  /** The version that a process would run if it started now. */
  installedVersion: string
}

export type SessionPage = ReturnType<typeof buildSessionPage>

/** Build what `views/session.eta` shows. Pure. */
export function buildSessionPage(data: SessionData, now: Date) {
  const { view, events, evidence, verdictRecord, files, work, installedVersion } = data
  const { session, status, state } = view
  const rows = events.flatMap(buildEventRow)
  const task = formatTitle(view)
  return {
    title: `${state}: ${task}`,
    id: session.id,
    task,
    state: createBadge(state),
    stateAge: formatAge(status.phaseStartedAt, now),
    facts: buildFacts(view, now),
    question: status.closed ? null : status.question,
    answerCommand: `dispatch ${findCommand(view)} ${session.id}`,
    problem: describeProblem(view),
    verdict: status.verdict && buildVerdictCard(status.verdict, verdictRecord),
    clauses: buildClauseRows(status, verdictRecord),
    uncoveredSentences: status.contract?.uncoveredSentences ?? [],
    findings: verdictRecord?.findings ?? [],
    workers: status.workers.map(worker => buildWorkerRow(worker, view, now)),
    work: buildWorkSection(session.id, work),
    evidence: buildEvidenceRows(evidence),
    events: rows.slice(-MAX_EVENTS),
    hiddenEvents: Math.max(0, rows.length - MAX_EVENTS),
    unreadableLines: view.unreadableLines,
    files,
    nextCommand: composeNextCommand(view),
    runnerWarning: describeOldRunner(view, installedVersion),
    refreshMs: getRefreshMs([view]),
  }
}

// --- internal ---

function describeOldRunner({ status: { runnerVersion }, runnerLiveness }: SessionView, installed: string): string {
  const isOld = runnerLiveness === 'alive' && runnerVersion !== undefined && isOtherBuild(runnerVersion, installed)
  return isOld
    ? `The runner of this session runs ${runnerVersion}; ${installed} is installed. It goes on with that to its end.`
    : ''
}

function composeNextCommand(view: SessionView): string {
  const command = findCommand(view)
  return `dispatch ${command} ${view.session.id}${command === 'say' ? ' "…"' : ''}`
}

/** The command that is useful next. A session without a living claude has no terminal to attach to, and nothing answers there. */
function findCommand(view: SessionView): string {
  const { state, status, runnerLiveness, otherHost } = view
  if (state === 'PASS') return 'apply'
  if (status.closed || state === 'failed' || otherHost !== undefined) return 'show'
  if (state === 'interrupted') return 'resume'
  if (isAwaitingApproval(status)) return 'approve'
  return runnerLiveness === 'dead' && ['asking', 'needs you'].includes(state) ? 'say' : 'attach'
}

function buildFacts(view: SessionView, now: Date): [string, string][] {
  const { session, status, runnerLiveness, otherHost } = view
  const { openedAt, models, repository, instructions, project, sandbox } = session.manifest
  const uncommitted = repository?.uncommittedFiles ?? 0
  const cost = describeCost(status)
  const facts: [string, string][] = [
    ['opened', `${formatDateTime(openedAt)} (${formatAge(openedAt, now)} ago)`],
    [
      'repository',
      repository ? `${repository.path} at ${repository.commit.slice(0, SHORT_COMMIT_CHARS)}` : 'a new, empty one',
    ],
    ['left out', uncommitted > 0 ? formatCount(uncommitted, 'uncommitted file') : ''],
    ['dependencies', describeDependencies(view)],
    ['given to agents', [...instructions.files, ...(project?.files ?? [])].join(', ')],
    ['not given', instructions.ignored.join(', ')],
    ['round', status.round === 0 ? '' : `${status.round} of ${status.maxRounds}`],
    ['write lock', status.writeLock?.worker ?? ''],
    [
      'models',
      `orchestrator ${models.orchestrator}, code ${models.code}, documents ${models.rw}, judge ${models.judge}`,
    ],
    ['cost', cost === undefined ? '' : `${cost.total}: ${cost.parts}`],
    ['contract', describeContract(status)],
    ['sandbox', status.noSandboxReason === '' ? (sandbox.kind ?? '') : `none: ${status.noSandboxReason}`],
    [
      'runner',
      isSettled(status) && runnerLiveness === 'dead'
        ? ''
        : otherHost === undefined
          ? runnerLiveness
          : `on ${otherHost}`,
    ],
  ]
  return facts.filter(([, value]) => value !== '')
}

function describeContract({ contract }: SessionStatus): string {
  if (!contract) return 'not sealed yet'
  const version = contract.version === 1 ? '' : `, version ${contract.version}`
  const weakened = contract.dilutions.length === 0 ? '' : `, weakened: ${contract.dilutions.join('; ')}`
  return `sealed, sha256 ${contract.sha256.slice(0, SHORT_HASH_CHARS)}${version}${weakened}`
}

/** The commands that install the project's dependencies, and their result. */
function describeDependencies({ session, status }: SessionView): string {
  const commands = session.manifest.project?.setup ?? []
  if (commands.length === 0) return ''
  const { dependencies } = status
  const results = {
    running: 'running',
    made: 'installed',
    cached: 'installed before',
    failed: `failed: ${dependencies?.reason}`,
  }
  return `${commands.join('; ')}${dependencies ? ` (${results[dependencies.state]})` : ''}`
}

function describeProblem(view: SessionView): string {
  const remarks = isSettled(view.status) ? [] : view.status.remarks.map(({ text }) => `${text}.`)
  return [describeState(view), describeJudgeState(view), ...remarks].filter(text => text !== '').join(' ')
}

function describeState({ session, status, state }: SessionView): string {
  if (status.closed) return `Closed by ${status.closed.actor}: ${status.closed.reason}`
  const letters = session.id.slice(-4)
  if (state === 'interrupted')
    return `Its processes are gone. The daemon takes it up when there is room. To go on now: dispatch resume ${letters}`
  if (state === 'stuck')
    return `No agent has done anything for a while. See the last screen: dispatch attach ${letters}`
  return ['failed', 'needs you'].includes(state) ? (status.problem ?? '') : ''
}

function describeJudgeState({ session, status }: SessionView): string {
  const waiting = describeJudgeWait(status, formatDateTime)
  const command = `To ask it again now: dispatch judge ${session.id.slice(-4)}`
  if (waiting !== undefined) return `The session ${status.closed ? '' : 'is '}${waiting}. ${command}`
  if (!status.judgeProblem || isSettled(status)) return ''
  return `The judge cannot judge, so no verdict can be PASS: ${status.judgeProblem}`
}

function buildVerdictCard(verdict: VerdictState, record: VerdictRecord | undefined) {
  const badge = createBadge(verdict.verdict)
  return {
    ...verdict,
    verdict: verdict.voidReason === undefined ? badge : { ...badge, tone: 'unsure' as const },
    time: formatDateTime(verdict.time),
    judge: record ? describeJudge(record) : '',
    sandbox: record?.sandbox ?? '',
    // The hash of what the judge received.
    packet: record ? (record.packetSha256 ?? 'none sent') : '',
    voidReason: verdict.voidReason ?? '',
    // The workers fix it in the next round.
    needsFix: verdict.verdict === 'FAIL' && !verdict.isFinal,
  }
}

function buildWorkerRow(worker: WorkerStatus, view: SessionView, now: Date) {
  const { name, kind, model, startedAt, endedAt, costUsd } = worker
  const cost = costUsd == null ? [] : [`$${costUsd.toFixed(2)}`]
  return {
    name,
    kind,
    model,
    share: [...worker.clauses, ...new Set(worker.files.map(unescapePattern))].join(', '),
    duration: startedAt === undefined ? '' : formatDuration(startedAt, endedAt ?? now.toISOString()),
    state: createWorkerBadge(worker, view),
    reason: worker.reason ?? '',
    changes: endedAt === undefined ? '' : [formatCount(worker.changedFiles ?? 0, 'file'), ...cost].join(', '),
  }
}

/** A report is only what the worker says, so it is never green. */
function createWorkerBadge({ ending, startedAt, blockedBy }: WorkerStatus, view: SessionView): Badge {
  if (ending !== undefined) return { label: ending, tone: ending === 'reported' ? 'quiet' : 'bad' }
  if (view.runnerLiveness === 'dead') return { label: 'interrupted', tone: 'unsure' }
  if (startedAt !== undefined) return { label: 'working', tone: 'live' }
  return { label: blockedBy === null ? 'starting' : `waits for ${blockedBy}`, tone: 'quiet' }
}

function buildEventRow(event: Event) {
  const description = describeEvent(event)
  return description === undefined ? [] : [{ ...description, time: event.time, clock: formatClock(event.time) }]
}
