import { sanitize, toOneLine, toWholeWords } from '#host/text.ts'
import type { VerdictRecord } from './evidence/verdict.ts'
import { readQuotedTask, readWishes } from './task/quoted-task.ts'

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
  const end = disarm(facts.task, `Verdict: ${proof}`)
  return `${renderWorkMessage(facts)}\n\n${end}\nSession: ${sessionId}\n`
}

/** The same without the lines at its end that say where it comes from, and without a last line break. Pure. */
export function renderWorkMessage({ sessionId, task, verdict }: SquashFacts): string {
  const subject = chooseSubject(task) || `Work of session ${sessionId}`
  const asked = sanitize(task.trim().replace(/\r\n?/g, '\n')).slice(0, MAX_TASK_CHARS)
  const isWholeTask = asked === subject
  const clauses = verdict?.clauses ?? []
  const list = (heading: string, lines: string[]) => (lines.length > 0 ? [[heading, ...lines].join('\n')] : [])
  const proved = clauses.filter(clause => clause.verdict === 'PASS')
  const unproved = clauses.filter(clause => clause.verdict !== 'PASS')
  const lines = [
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
  return disarm(task, lines)
}

/**
 * A message about a task that others wrote, in which none of their words closes an issue, or has a CI leave the commit out: `#7` becomes
 * `# 7`, and `[skip ci]` becomes `(skip ci)`. The same words of a person at this machine stay. Pure.
 */
export function disarm(task: string, message: string): string {
  if (readQuotedTask(task) === undefined) return message
  return message
    .replace(/(#|\bGH-|\/(?:issues|work_items|pull|merge_requests)\/)(?=\d)/gi, '$1 ')
    .replace(/\[([^\][\n]{0,40}(?<![a-z])(?:skip|no)(?![a-z])[^\][\n]{0,40})\]/gi, '($1)')
    .replace(/\*{3}(no_ci)\*{3}/gi, '($1)')
    .replace(/\bskip-checks(?=\s*:)/gi, 'skip checks')
}

// --- internal ---

/** What tools show of a subject without cutting it. */
const MAX_SUBJECT_CHARS = 72
const MAX_TASK_CHARS = 4000
const MAX_LINE_CHARS = 200

/** The first line of a task, or its first sentence, if that fits. Of a task that others wrote, that of their words: the title of an issue. */
function chooseSubject(task: string): string {
  const line = disarm(task, toOneLine(readWishes(task).trim().split('\n')[0] ?? '', Number.POSITIVE_INFINITY))
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
