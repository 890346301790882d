import type { CommitVerdict } from '#forge/actions'
import { sanitize } from '#host/text.ts'
import type { SessionView } from '#session/status'
import { escapeMarkdown, type Matrix, renderMatrix } from '#session/traceability'
import { fenceWords } from '../issues/comment-text.ts'

/** What is known of the session of a job when it is over. */
export interface JobOutcome {
  view: SessionView
  /** As `dispatch wait` prints it. */
  state: string
  matrix: Matrix
  /** What `dispatch audit` found; empty for a sound record. */
  damage: string[]
  pullRequest: { number: number; url: string } | undefined
  /** Why there is no pull request although there is a PASS. */
  problem: string | undefined
}

/**
 * What is said beside a commit. Only a PASS whose record is sound is a success: GitHub lets a neutral check through where it is
 * required. Pure.
 */
export function chooseConclusion({ state, damage }: JobOutcome): CommitVerdict['conclusion'] {
  if (damage.length > 0 || state === 'FAIL') return 'failure'
  return state === 'PASS' ? 'success' : 'action_required'
}

/** The same in one line. Pure. */
export function renderTitle({ view, state, damage }: JobOutcome): string {
  if (damage.length > 0) return 'The record is damaged, so it proves nothing'
  const { phase, clauses } = view.status
  if (phase === 'asking') return 'A question has to be answered'
  if (phase === 'needs you') return 'A person is needed'
  if (phase === 'failed') return UNSTARTED_TITLE
  const passed = clauses.filter(({ verdict }) => verdict === 'PASS').length
  return clauses.length === 0 ? state : `${state}: ${passed} of ${clauses.length} clauses are met`
}

/** What a person reads: how it ended, what waits for them, and the matrix. Words of agents are escaped or fenced. Pure. */
export function renderReport(outcome: JobOutcome, jobUrl: string, maxChars: number): string {
  const { view, damage, pullRequest, problem, matrix } = outcome
  const { status, session } = view
  const words = status.phase === 'asking' ? status.question : status.verdict === undefined ? status.problem : undefined
  const letters = session.id.slice(-4)
  // A restored home is paused, and a session that asks is not resumed without words.
  const answer = `dispatch resume ${letters} "your answer" --force`
  const head = [
    `**dispatch** in [this run](${jobUrl}), session ${session.id}: ${escapeMarkdown(renderTitle(outcome), MAX_LINE_CHARS)}.`,
    ...(words ? ['', ...fenceWords(words)] : []),
    ...(damage.length > 0 ? ['', ...fenceWords(damage.join('\n'))] : []),
    ...(pullRequest ? ['', `Pull request: #${pullRequest.number}`] : []),
    ...(problem === undefined ? [] : ['', 'There is no pull request:', '', ...fenceWords(problem)]),
    '',
    `To look at it: download \`dispatch-record\` from that run, unpack it, then \`dispatch restore record\` in a new home, and \`dispatch audit ${letters}\`.`,
    ...(status.phase === 'asking' ? [`To answer, and go on with it there: \`${answer}\`.`] : []),
  ].join('\n')
  const text = sanitize(head).slice(0, maxChars - MIN_MATRIX_CHARS)
  return `${text}\n\n${renderMatrix(matrix, maxChars - text.length - 2)}`
}

/** The title where there is no session, or one that never came to work. */
export const UNSTARTED_TITLE = 'The session did not start'

/** The same of a job without a session: the last words that it has said. Pure. */
export function renderUnstarted(problem: string, jobUrl: string): string {
  const words = sanitize(problem).trim().slice(-MAX_PROBLEM_CHARS)
  return [
    `**dispatch** in [this run](${jobUrl}): ${UNSTARTED_TITLE}.`,
    ...(words === '' ? [] : ['', ...fenceWords(words)]),
  ].join('\n')
}

// --- internal ---

const MAX_PROBLEM_CHARS = 3000
const MAX_LINE_CHARS = 300
const MIN_MATRIX_CHARS = 8000
