import { formatCount, toOneLine } from '#host/text.ts'
import { disarmMarks, escapeMarkdown, fenceText, type Matrix } from '#session/traceability'

/** What a pull request says of a session. */
export interface PullRequestFacts {
  sessionId: string
  /** The whole task, as it was given. */
  task: string
  matrix: Matrix
  /** Renders the matrix as Markdown of at most so many characters. */
  renderMatrix(maxChars: number): string
  /** Why it is no valid PASS; undefined for one. */
  warning: string | undefined
  changedFiles: string[]
  /** The issues that are done when it is merged: `#12`, `owner/name#12`. */
  closes: string[]
}

/** The longest body that GitHub accepts. */
export const MAX_BODY_CHARS = 65_536

/**
 * The part of a body that dispatch writes, between two marks by which it is found again: what was asked, the verdict, what to look at
 * first, and the matrix. Text of others is fenced or escaped. Pure.
 */
export function renderSection(facts: PullRequestFacts, maxChars = MAX_BODY_CHARS - MARGIN_CHARS): string {
  const { sessionId, task, warning, closes } = facts
  const head = [
    getBeginMark(sessionId),
    ...(warning === undefined
      ? []
      : [
          '> [!WARNING]',
          `> This is no valid PASS, so it is not proved. ${escapeMarkdown(warning, MAX_LINE_CHARS)}`,
          '',
        ]),
    '## What was asked',
    '',
    fenceText(cut(task.trim())),
    '',
    LOOK_TITLE,
    '',
    ...listFirstLooks(facts).map(line => `- ${line}`),
    '',
    ...closes.map(issue => `Closes ${issue}`),
    ...(closes.length > 0 ? [''] : []),
  ].join('\n')
  const room = maxChars - head.length - END_MARK.length - 4
  return `${head}\n${facts.renderMatrix(room).trimEnd()}\n\n${END_MARK}`
}

/**
 * A body with the section in the place of the one before it, which may be that of an earlier session, or at its end. What people wrote
 * around it stays. Pure.
 */
export function replaceSection(body: string, section: string): string {
  const begin = body.search(BEGIN_MARK)
  const end = body.lastIndexOf(END_MARK)
  if (begin >= 0 && end > begin) return `${body.slice(0, begin)}${section}${body.slice(end + END_MARK.length)}`
  return body.trim() === '' ? section : `${body.trimEnd()}\n\n${section}`
}

/** Is this the body of the session's pull request? Pure. */
export function hasSection(body: string, sessionId: string): boolean {
  return body.includes(getBeginMark(sessionId))
}

/** Is this the body of a session's pull request that closes the issue? What a person has edited on GitHub has CRLF. Pure. */
export function closesIssue(body: string, issue: number): boolean {
  const [, ...section] = body.split(BEGIN_MARK)
  return section.join('').split(LOOK_TITLE).at(-1)?.split(/\r?\n/).includes(`Closes #${issue}`) ?? false
}

// --- internal ---

const BEGIN_MARK = /<!-- dispatch:session [\w-]+ -->/
const END_MARK = '<!-- dispatch:end -->'
const LOOK_TITLE = '## Look at this first'
/** Room for what people write around it. */
const MARGIN_CHARS = 4096
const MAX_TASK_CHARS = 12_000
const MAX_LINE_CHARS = 300
const MAX_NAMES = 8

function getBeginMark(sessionId: string): string {
  return `<!-- dispatch:session ${sessionId} -->`
}

/** What a reader cannot leave to the verdict, the most important first. */
function listFirstLooks({ matrix, changedFiles }: PullRequestFacts): string[] {
  const { clauses, verdict, contract, sentences, uncoveredSentences } = matrix
  const name = (list: typeof clauses) =>
    list
      .slice(0, MAX_NAMES)
      .map(({ id, sentence }) => `${escapeMarkdown(id, 20)} (${escapeMarkdown(sentence, 100)})`)
      .join(', ') + (list.length > MAX_NAMES ? ` and ${list.length - MAX_NAMES} more` : '')
  const open = clauses.filter(clause => clause.verdict !== 'PASS')
  const judged = clauses.filter(({ proof }) => proof === 'judged')
  const guards = clauses.filter(({ proof }) => proof === 'guard')
  const excluded = sentences.filter(({ exclusionReason }) => exclusionReason !== undefined)
  const notes = clauses.filter(({ note }) => note !== undefined)
  const looks = [
    open.length > 0 && `Not proved: ${name(open)}`,
    judged.length > 0 && `Only the judge says so, and no check shows it: ${name(judged)}`,
    uncoveredSentences.length > 0 &&
      `No clause covers ${formatCount(uncoveredSentences.length, 'sentence')} of the task`,
    excluded.length > 0 && `${formatCount(excluded.length, 'sentence')} of the task left out of the contract`,
    contract.dilutions.length > 0 &&
      `The contract was weakened ${formatCount(contract.dilutions.length, 'time')}, with a person's approval`,
    guards.length > 0 && `Green before the work too, so it only shows that nothing broke: ${name(guards)}`,
    notes.length > 0 && `With a note in the table: ${name(notes)}`,
    verdict.independence === 'none' && 'No judge has answered',
    `${formatCount(changedFiles.length, 'file')} changed: ${listNames(changedFiles)}`,
  ]
  return looks.filter(look => look !== false)
}

function listNames(files: string[]): string {
  const shown = files.slice(0, MAX_NAMES).map(file => `\`${disarmMarks(toOneLine(file, 120)).replaceAll('`', "'")}\``)
  return `${shown.join(', ')}${files.length > MAX_NAMES ? ` and ${files.length - MAX_NAMES} more` : ''}`
}

function cut(task: string): string {
  return task.length > MAX_TASK_CHARS ? `${task.slice(0, MAX_TASK_CHARS)}\n… (cut; the session has all of it)` : task
}
