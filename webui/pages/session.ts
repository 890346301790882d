import {
  describeEvent,
  type Event,
  type EventDescription,
  type EvidenceRecord,
  isAwaitingApproval,
  isSettled,
  type SessionStatus,
  type SessionView,
} from '#session/readonly.ts'
import type { VerdictSummary } from '../files.ts'
import { formatAge, formatClock, formatCount, formatDateTime, formatDuration, pickTone } from '../format.ts'
import {
  type Badge,
  buildClauseRows,
  buildEvidenceRows,
  type ClauseRow,
  type EvidenceRow,
  selectVerdictSummary,
} from './contract.ts'
import { isActive } from './list.ts'

const MAX_STORY_EVENTS = 500

/** What is read of one session for its page. */
export interface SessionData {
  view: SessionView
  events: Event[]
  evidence: EvidenceRecord[]
  judgement: VerdictSummary | undefined
  files: string[]
}

/** The session page: what `views/session.eta` shows. */
export interface SessionPage {
  title: string
  id: string
  task: string
  state: Badge
  since: string
  facts: [string, string][]
  /** What the orchestrator asks the person, in its own words; null when nothing is asked. */
  question: string | null
  /** The command by which the person answers. */
  answer: string
  /** Why it cannot go on alone. */
  trouble: string
  verdict: VerdictCard | undefined
  clauses: ClauseRow[]
  uncovered: string[]
  findings: string[]
  workers: WorkerRow[]
  evidence: { now: EvidenceRow[]; earlier: EvidenceRow[] }
  story: StoryLine[]
  /** Moments of the story before those shown. */
  untold: number
  unread: number
  files: string[]
  refresh: number
}

export interface VerdictCard {
  word: Badge
  round: number
  reason: string
  commit: string
  tree: string
  at: string
  judge: string
  independence: string
  sandbox: string
  /** The hash of what the judge was given, or that nothing was sent. */
  packet: string
  voided: string
  /** It goes back for repair: not the last word. */
  repair: boolean
}

export interface WorkerRow {
  name: string
  kind: string
  model: string
  share: string
  time: string
  how: Badge
  reason: string
  changed: string
}

export interface StoryLine extends EventDescription {
  at: string
  clock: string
}

/** Put everything that was read of a session into its page. Pure. */
export function buildSessionPage({ view, events, evidence, judgement, files }: SessionData, now: Date): SessionPage {
  const { session, status, state } = view
  const written = selectVerdictSummary(status, judgement)
  const moments = events.flatMap(buildStoryLine)
  const task = session.manifest.task.title.trim() === '' ? '(no words)' : session.manifest.task.title
  return {
    title: `${state}: ${task}`,
    id: session.id,
    task,
    state: { word: state, tone: pickTone(state) },
    since: formatAge(status.phaseStartedAt, now),
    facts: buildFacts(view, now),
    question: status.closed ? null : status.question,
    answer: `dispatch ${isAwaitingApproval(status) ? 'approve' : 'attach'} ${session.id}`,
    trouble: describeTrouble(view),
    verdict: status.verdict && buildVerdictCard(status.verdict, written),
    clauses: buildClauseRows(status, written),
    uncovered: status.contract?.uncoveredSentences ?? [],
    findings: written?.findings ?? [],
    workers: status.workers.map(worker => buildWorkerRow(worker, view, now)),
    evidence: buildEvidenceRows(evidence),
    story: moments.slice(-MAX_STORY_EVENTS),
    untold: Math.max(0, moments.length - MAX_STORY_EVENTS),
    unread: view.unreadableLines,
    files,
    refresh: isActive(view) ? 2000 : 10_000,
  }
}

function describeContract({ contract }: SessionView['status']): string {
  if (!contract) return 'not sealed yet'
  const version = contract.version === 1 ? '' : `, version ${contract.version}`
  const weaker = contract.dilutions.length === 0 ? '' : `, weaker than at first: ${contract.dilutions.join('; ')}`
  return `sealed, sha256 ${contract.sha256.slice(0, 16)}${version}${weaker}`
}

function buildFacts(view: SessionView, now: Date): [string, string][] {
  const { session, status, runnerLiveness } = view
  const { manifest } = session
  const { models, repository, instructions, project } = manifest
  const facts: [string, string][] = [
    ['opened', `${formatDateTime(manifest.openedAt)} (${formatAge(manifest.openedAt, now)} ago)`],
    ['repository', repository ? `${repository.path} at ${repository.commit.slice(0, 10)}` : 'none: a new one'],
    [
      'left out',
      repository && repository.uncommittedFiles > 0 ? formatCount(repository.uncommittedFiles, 'uncommitted file') : '',
    ],
    ['setup', describeDependencies(view)],
    ['handed on', [...instructions.files, ...(project?.files ?? [])].join(', ')],
    ['ignored', instructions.ignored.join(', ')],
    ['round', status.round === 0 ? '' : `${status.round} of ${status.maxRounds}`],
    ['write lock', status.writeLock ? status.writeLock.worker : ''],
    ['models', `${models.orchestrator} plans, ${models.code} codes, ${models.rw} writes, ${models.judge} judges`],
    ['contract', describeContract(status)],
    ['sandbox', status.noSandboxReason === '' ? (manifest.sandbox.kind ?? '') : `none: ${status.noSandboxReason}`],
    ['runner', isSettled(status) && runnerLiveness === 'dead' ? '' : runnerLiveness],
  ]
  return facts.filter(([, value]) => value !== '')
}

/** The commands that make the project's dependencies, and how they went. */
function describeDependencies({ session, status }: SessionView): string {
  const commands = session.manifest.project?.setup ?? []
  if (commands.length === 0) return ''
  const how = {
    running: 'is running',
    made: 'done',
    cached: 'done before',
    failed: `failed: ${status.dependencies?.reason}`,
  }
  return `${commands.join('; ')}${status.dependencies ? ` (${how[status.dependencies.state]})` : ''}`
}

function describeTrouble({ status, state }: SessionView): string {
  if (status.closed) return `Closed by ${status.closed.actor}: ${status.closed.reason}`
  if (state === 'interrupted') return 'Its runner is gone. `dispatch` or the watchdog starts a successor.'
  if (state === 'stuck') return 'Nothing has happened for a while.'
  return ['failed', 'needs you'].includes(state) ? (status.problem ?? '') : ''
}

function buildVerdictCard(
  verdict: NonNullable<SessionStatus['verdict']>,
  written: VerdictSummary | undefined,
): VerdictCard {
  const voided = verdict.voidReason ?? ''
  return {
    word: { word: verdict.verdict, tone: voided === '' ? pickTone(verdict.verdict) : 'unsure' },
    round: verdict.round,
    reason: verdict.reason,
    commit: verdict.commit,
    tree: verdict.tree,
    at: formatDateTime(verdict.time),
    judge: written?.judge ?? '',
    independence: verdict.independence,
    sandbox: written?.sandbox ?? '',
    packet: written ? (written.packetSha256 ?? 'none sent') : '',
    voided,
    repair: verdict.verdict === 'FAIL' && !verdict.isFinal,
  }
}

function buildWorkerRow(worker: SessionStatus['workers'][number], view: SessionView, now: Date): WorkerRow {
  const { startedAt, endedAt } = worker
  const cost = worker.costUsd == null ? [] : [`$${worker.costUsd.toFixed(2)}`]
  return {
    name: worker.name,
    kind: worker.kind,
    model: worker.model,
    share: [...worker.clauses, ...worker.files].join(', '),
    time: startedAt === undefined ? '' : formatDuration(startedAt, endedAt ?? now.toISOString()),
    how: describeEnding(worker, view),
    reason: worker.reason ?? '',
    changed: endedAt === undefined ? '' : [formatCount(worker.changedFiles ?? 0, 'file'), ...cost].join(', '),
  }
}

function describeEnding({ ending, startedAt, blockedBy }: SessionStatus['workers'][number], view: SessionView): Badge {
  // A report is a claim, so it is never green.
  if (ending !== undefined) return { word: ending, tone: ending === 'reported' ? 'quiet' : 'bad' }
  if (view.runnerLiveness === 'dead') return { word: 'not ended', tone: 'unsure' }
  if (startedAt !== undefined) return { word: 'works', tone: 'live' }
  return { word: blockedBy === null ? 'is about to start' : `waits for ${blockedBy}`, tone: 'quiet' }
}

function buildStoryLine(event: Event): StoryLine[] {
  const moment = describeEvent(event)
  return moment === undefined ? [] : [{ ...moment, at: event.time, clock: formatClock(event.time) }]
}
