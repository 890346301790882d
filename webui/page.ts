import {
  awaitsApproval,
  type Event,
  type EvidenceRecord,
  type Moment,
  type Status,
  settled,
  tell,
  type View,
} from '../session/read.ts'
import { type ClauseRow, clauseRows, type EvidenceRow, evidenceRows, judgementOf, type Said } from './contract.ts'
import type { Judgement } from './files.ts'
import { isGoing } from './list.ts'
import { age, clock, counted, dayAndTime, duration, toneOf } from './words.ts'

const longestStory = 500

/** What is read of one session for its page. */
export interface Reading {
  view: View
  events: Event[]
  evidence: EvidenceRecord[]
  judgement: Judgement | undefined
  files: string[]
}

/** The session page: what `views/session.eta` shows. */
export interface SessionPage {
  title: string
  id: string
  task: string
  state: Said
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
  word: Said
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
  how: Said
  why: string
  changed: string
}

export interface StoryLine extends Moment {
  at: string
  clock: string
}

/** Put everything that was read of a session into its page. Pure. */
export function sessionPage({ view, events, evidence, judgement, files }: Reading, now: Date): SessionPage {
  const { session, status, state } = view
  const written = judgementOf(status, judgement)
  const moments = events.flatMap(storyLine)
  const task = session.opening.task.title.trim() === '' ? '(no words)' : session.opening.task.title
  return {
    title: `${state}: ${task}`,
    id: session.id,
    task,
    state: { word: state, tone: toneOf(state) },
    since: age(status.since, now),
    facts: factsOf(view, now),
    question: status.closed ? null : status.question,
    answer: `dispatch ${awaitsApproval(status) ? 'approve' : 'attach'} ${session.id}`,
    trouble: troubleOf(view),
    verdict: status.verdict && verdictCard(status.verdict, written),
    clauses: clauseRows(status, written),
    uncovered: status.contract?.uncovered ?? [],
    findings: written?.findings ?? [],
    workers: status.workers.map(worker => workerRow(worker, view, now)),
    evidence: evidenceRows(evidence),
    story: moments.slice(-longestStory),
    untold: Math.max(0, moments.length - longestStory),
    unread: view.unread,
    files,
    refresh: isGoing(view) ? 2000 : 10_000,
  }
}

function contractOf({ contract }: View['status']): string {
  if (!contract) return 'not sealed yet'
  const version = contract.version === 1 ? '' : `, version ${contract.version}`
  const weaker = contract.dilutions.length === 0 ? '' : `, weaker than at first: ${contract.dilutions.join('; ')}`
  return `sealed, sha256 ${contract.sha256.slice(0, 16)}${version}${weaker}`
}

function factsOf(view: View, now: Date): [string, string][] {
  const { session, status, runner } = view
  const { opening } = session
  const { models, repository, instructions, project } = opening
  const facts: [string, string][] = [
    ['opened', `${dayAndTime(opening.openedAt)} (${age(opening.openedAt, now)} ago)`],
    ['repository', repository ? `${repository.path} at ${repository.commit.slice(0, 10)}` : 'none: a new one'],
    ['left out', repository && repository.uncommitted > 0 ? counted(repository.uncommitted, 'uncommitted file') : ''],
    ['setup', setupOf(view)],
    ['handed on', [...instructions.files, ...(project?.files ?? [])].join(', ')],
    ['ignored', instructions.ignored.join(', ')],
    ['round', status.round === 0 ? '' : `${status.round} of ${status.rounds}`],
    ['write lock', status.lock ? status.lock.worker : ''],
    ['models', `${models.orchestrator} plans, ${models.code} codes, ${models.rw} writes, ${models.judge} judges`],
    ['contract', contractOf(status)],
    ['sandbox', status.unprotected === '' ? (opening.sandbox.kind ?? '') : `none: ${status.unprotected}`],
    ['runner', settled(status) && runner === 'dead' ? '' : runner],
  ]
  return facts.filter(([, value]) => value !== '')
}

/** The commands that make the project's dependencies, and how they went. */
function setupOf({ session, status }: View): string {
  const commands = session.opening.project?.setup ?? []
  if (commands.length === 0) return ''
  const how = { running: 'is running', made: 'done', cached: 'done before', failed: `failed: ${status.setup?.why}` }
  return `${commands.join('; ')}${status.setup ? ` (${how[status.setup.how]})` : ''}`
}

function troubleOf({ status, state }: View): string {
  if (status.closed) return `Closed by ${status.closed.by}: ${status.closed.why}`
  if (state === 'interrupted') return 'Its runner is gone. `dispatch` or the watchdog starts a successor.'
  if (state === 'stuck') return 'Nothing has happened for a while.'
  return ['failed', 'needs you'].includes(state) ? (status.trouble ?? '') : ''
}

function verdictCard(verdict: NonNullable<Status['verdict']>, written: Judgement | undefined): VerdictCard {
  const voided = verdict.voided ?? ''
  return {
    word: { word: verdict.verdict, tone: voided === '' ? toneOf(verdict.verdict) : 'unsure' },
    round: verdict.round,
    reason: verdict.reason,
    commit: verdict.commit,
    tree: verdict.tree,
    at: dayAndTime(verdict.at),
    judge: written?.judge ?? '',
    independence: verdict.independence,
    sandbox: written?.sandbox ?? '',
    packet: written ? (written.packetSha256 ?? 'none sent') : '',
    voided,
    repair: verdict.verdict === 'FAIL' && !verdict.final,
  }
}

function workerRow(worker: Status['workers'][number], view: View, now: Date): WorkerRow {
  const { startedAt, endedAt } = worker
  const cost = worker.costUsd == null ? [] : [`$${worker.costUsd.toFixed(2)}`]
  return {
    name: worker.name,
    kind: worker.kind,
    model: worker.model,
    share: [...worker.clauses, ...worker.files].join(', '),
    time: startedAt === undefined ? '' : duration(startedAt, endedAt ?? now.toISOString()),
    how: howOf(worker, view),
    why: worker.why ?? '',
    changed: endedAt === undefined ? '' : [counted(worker.changedFiles ?? 0, 'file'), ...cost].join(', '),
  }
}

function howOf({ how, startedAt, waitsFor }: Status['workers'][number], view: View): Said {
  // A report is a claim, so it is never green.
  if (how !== undefined) return { word: how, tone: how === 'reported' ? 'quiet' : 'bad' }
  if (view.runner === 'dead') return { word: 'not ended', tone: 'unsure' }
  if (startedAt !== undefined) return { word: 'works', tone: 'live' }
  return { word: waitsFor === null ? 'is about to start' : `waits for ${waitsFor}`, tone: 'quiet' }
}

function storyLine(event: Event): StoryLine[] {
  const moment = tell(event)
  return moment === undefined ? [] : [{ ...moment, at: event.at, clock: clock(event.at) }]
}
