import { renderClaimMark } from '#forge/issues'
import type { Item } from '#queue'
import { isAsleep, type SessionView } from '#session/status'
import { escapeMarkdown, fenceText, type Matrix, renderMatrix } from '#session/traceability'
import { findNextStep } from '../output/next-step.ts'
import type { IssueRecord } from './record.ts'

/** What is known of the work on an issue, as others may read it. */
export interface IssueWork {
  record: IssueRecord
  /** Its item in the queue. */
  item: Item | undefined
  view: SessionView | undefined
  /** Once there is a verdict. */
  matrix: Matrix | undefined
}

/**
 * The one comment of a claim: where its work is, the clauses of the contract, a question with the command that answers it, the verdict
 * with its matrix, and where it has landed. Words of agents are escaped or fenced. It says no times, so it changes only with the work.
 * Pure.
 */
export function renderIssueComment({ record, item, view, matrix }: IssueWork): string {
  const { claim, machine, claimedAt: at } = record
  const head = [
    renderClaimMark({ claim, machine, at }),
    `**dispatch** works on this issue: ${describeState(item, view)}.`,
    ...renderWait(item, view),
    ...renderLanded(view),
  ]
  const clauses = matrix === undefined ? renderClauses(view) : []
  const text = [...head, ...clauses].join('\n').slice(0, MAX_BODY_CHARS)
  if (matrix === undefined) return text
  return `${text}\n\n${renderMatrix(matrix, Math.max(MIN_MATRIX_CHARS, MAX_BODY_CHARS - text.length))}`
}

/** Words as a block that nothing in them can end, cut where they are long. Pure. */
export function fenceWords(words: string): string[] {
  return [fenceText(words.slice(0, MAX_WORDS_CHARS))]
}

// --- internal ---

/** GitHub takes 65,536. */
const MAX_BODY_CHARS = 60_000
const MIN_MATRIX_CHARS = 4000
const MAX_LINE_CHARS = 400
const MAX_WORDS_CHARS = 4000
const MAX_CLAUSES = 60

function describeState(item: Item | undefined, view: SessionView | undefined): string {
  if (view === undefined) {
    if (item === undefined) return 'it is about to start'
    if (item.state === 'needs you') return `it does not start by itself (${item.id})`
    return item.state === 'waiting' ? `it waits in the queue (${item.id})` : `it starts (${item.id})`
  }
  const { status, session, state } = view
  const name = `session ${session.id.slice(-4)}`
  if (status.landed.length > 0) return `${name} has landed it`
  if (status.phase === 'asking') return `${name} asks a question`
  if (status.phase === 'needs you') return `${name} needs a person`
  if (status.phase === 'opening') return `${name} starts`
  if (status.phase === 'planning') return `${name} writes the contract`
  if (status.phase === 'working' || status.phase === 'judging')
    return status.closed ? `${name} was stopped` : `${name} is ${status.phase}`
  return `${name} has ended with ${escapeMarkdown(state, MAX_LINE_CHARS)}`
}

/** What waits for a person, in its own words, and the command. */
function renderWait(item: Item | undefined, view: SessionView | undefined): string[] {
  if (view === undefined) {
    if (item?.state !== 'needs you') return []
    return ['', ...fenceWords(item.reason), '', `On that machine: \`dispatch queue show ${item.id}\``]
  }
  const { status, session } = view
  const step = findNextStep(status, session.id.slice(-4), isAsleep(view))
  if (step === undefined) return []
  const words = status.phase === 'asking' ? status.question : status.problem
  return ['', ...(words ? [...fenceWords(words), ''] : []), `To ${step.label}, on that machine: ${step.text}`]
}

function renderLanded(view: SessionView | undefined): string[] {
  const landed = view?.status.landed.at(-1)
  const pull = view?.status.pullRequest
  return [
    ...(landed ? ['', `On the branch ${escapeMarkdown(landed.branch, MAX_LINE_CHARS)}, as ${landed.commit}`] : []),
    ...(pull ? ['', `Pull request: #${pull.number}`] : []),
  ]
}

function renderClauses(view: SessionView | undefined): string[] {
  const clauses = view?.status.clauses ?? []
  if (clauses.length === 0 || view?.status.contract === undefined) return []
  const shown = clauses.slice(0, MAX_CLAUSES).map(({ id, sentence, verdict }) => {
    const outcome = verdict === undefined ? '' : ` (${verdict})`
    return `- **${escapeMarkdown(id, 20)}** ${escapeMarkdown(sentence, MAX_LINE_CHARS)}${outcome}`
  })
  const more = clauses.length > MAX_CLAUSES ? [`- and ${clauses.length - MAX_CLAUSES} more`] : []
  return ['', 'The contract by which it is judged:', '', ...shown, ...more]
}
