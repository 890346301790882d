import { sanitize, toOneLine, toWholeWords } from '#host/text.ts'
import type { VerdictRecord } from './evidence/verdict.ts'
import { readWishes } from './task/fence.ts'

/** What a squashed commit says: what was asked, and what was proved. */
export interface SquashFacts {
  sessionId: string
  /** The whole task. */
  task: string
  /** Undefined while the work is not judged. */
  verdict: VerdictRecord | undefined
}

/**
 * The message of the one commit that has all the work of a session: a subject of at most 72 characters from the task, then
 * what was asked, the verdict, the clauses by what came of them, and the session. Pure.
 */
export function renderSquashMessage(facts: SquashFacts): string {
  const { sessionId, verdict } = facts
  const proof = verdict === undefined ? 'none' : toOneLine(`${verdict.verdict}, ${verdict.reason}`, MAX_LINE_CHARS)
  return `${renderWorkMessage(facts)}\n\nVerdict: ${proof}\nSession: ${sessionId}\n`
}

/** The same without the lines at its end that say where it comes from, and without a last line break. Pure. */
export function renderWorkMessage({ sessionId, task, verdict }: SquashFacts): string {
  const subject = chooseSubject(task) || `Work of session ${sessionId}`
  const asked = sanitize(task.trim()).slice(0, MAX_TASK_CHARS)
  const isWholeTask = asked === subject
  const clauses = verdict?.clauses ?? []
  const list = (heading: string, lines: string[]) => (lines.length > 0 ? [[heading, ...lines].join('\n')] : [])
  const proved = clauses.filter(clause => clause.verdict === 'PASS')
  const unproved = clauses.filter(clause => clause.verdict !== 'PASS')
  return [
    subject,
    ...(isWholeTask ? [] : [`Asked:\n${asked.split('\n').map(indent).join('\n')}`]),
    ...list(
      'Proved:',
      proved.map(({ id, sentence }) => formatClause(id, sentence)),
    ),
    ...list(
      'Not proved:',
      unproved.map(({ id, sentence, verdict }) => formatClause(id, `${sentence} (${verdict})`)),
    ),
  ].join('\n\n')
}

// --- internal ---

/** What tools show of a subject without cutting it. */
const MAX_SUBJECT_CHARS = 72
const MAX_TASK_CHARS = 4000
const MAX_LINE_CHARS = 200

/** The first line of a task, or its first sentence, if that fits. Of a task that others wrote, that of their words: the title of an issue. */
function chooseSubject(task: string): string {
  const line = toOneLine(readWishes(task).trim().split('\n')[0] ?? '', Number.POSITIVE_INFINITY)
  const [sentence = ''] = /^.*?[.!?](?= [\p{Lu}\p{Lo}"'`(])/u.exec(line) ?? []
  const isLong = line.length > MAX_SUBJECT_CHARS
  return isLong && sentence !== '' && sentence.length <= MAX_SUBJECT_CHARS
    ? sentence.replace(/\.$/, '')
    : toWholeWords(line, MAX_SUBJECT_CHARS)
}

/** Indented, so that no line of a task is taken for a comment or a trailer. */
function indent(line: string): string {
  return line.trim() === '' ? '' : `  ${line.trimEnd()}`
}

function formatClause(id: string, sentence: string): string {
  return `- ${id}: ${toOneLine(sentence, MAX_LINE_CHARS)}`
}
