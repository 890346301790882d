import { formatCount } from '#host/text.ts'
import { formatTestCounts, type TestCounts } from '../evidence/test-counts.ts'
import { escapeMarkdown, formatInlineCode } from './escape-markdown.ts'
import type { Matrix, MatrixClause } from './matrix.ts'

/** The longest comment that GitHub accepts. */
export const MAX_COMMENT_CHARS = 65_536

/** Room for what a person writes around the matrix. */
const MARGIN_CHARS = 1536
/** Room for the note that says what was cut. */
const NOTE_CHARS = 300

const FULL_WIDTH = 600
const SHORT_WIDTH = 200
const MIN_WIDTH = 80

/** Render the matrix as Markdown for a pull request. If it is too long, texts are cut, then rows left out. Pure. */
export function renderMatrix(matrix: Matrix, maxChars = MAX_COMMENT_CHARS - MARGIN_CHARS): string {
  for (const width of [FULL_WIDTH, SHORT_WIDTH, MIN_WIDTH]) {
    const notes = width < FULL_WIDTH ? [formatCutNote(matrix, `texts are cut at ${width} characters`)] : []
    const text = joinLines(renderPage(matrix, width), notes)
    if (text.length <= maxChars) return text
  }
  const lines = renderPage(matrix, MIN_WIDTH)
  let kept = lines.length
  let chars = joinLines(lines, []).length
  while (kept > 1 && chars > maxChars - NOTE_CHARS) chars -= (lines[--kept]?.length ?? 0) + 1
  return joinLines(lines.slice(0, kept), ['', formatCutNote(matrix, `${lines.length - kept} lines are left out`)])
}

// --- internal ---

function renderPage(matrix: Matrix, width: number): string[] {
  const { sentences } = matrix
  const rows = renderSentenceRows(matrix, width)
  return [
    ...renderHead(matrix, width),
    '',
    ...(rows.length > 0
      ? [...renderTableHead('sentence of the task'), ...rows]
      : ['No clause covers a sentence of the task yet.']),
    ...renderUnlinkedClauses(matrix, width),
    ...renderList(
      'Left out of the contract',
      sentences.flatMap(({ id, text, exclusionReason }) =>
        exclusionReason === undefined
          ? []
          : [`**${id}** ${escapeMarkdown(text, width)} — ${escapeMarkdown(exclusionReason, width)}`],
      ),
    ),
    ...renderList(
      'Not covered by any clause',
      sentences
        .filter(({ id }) => matrix.uncoveredSentences.includes(id))
        .map(({ id, text }) => `**${id}** ${escapeMarkdown(text, width)}`),
    ),
  ]
}

/** One row for each clause of each sentence. A clause is shown in full only once. */
function renderSentenceRows({ sentences, clauses }: Matrix, width: number): string[] {
  const shownIds = new Set<string>()
  return sentences.flatMap(({ id, text, clauseIds }) =>
    clauseIds.flatMap((clauseId, index) => {
      const clause = clauses.find(candidate => candidate.id === clauseId)
      if (clause === undefined) return []
      const clauseWidth = shownIds.has(clauseId) ? 0 : width
      shownIds.add(clauseId)
      const sentence = index === 0 ? `**${id}** ${escapeMarkdown(text, width)}` : ''
      return [renderRow([sentence, ...renderCells(clause, clauseWidth)])]
    }),
  )
}

function renderHead(matrix: Matrix, width: number): string[] {
  const { verdict, contract, sentences, damage } = matrix
  const isVoid = verdict.voidReason !== null
  const coveredCount = sentences.filter(({ clauseIds }) => clauseIds.length > 0).length
  const excludedCount = sentences.filter(({ exclusionReason }) => exclusionReason !== undefined).length
  const warnings = [
    ...damage.map(description => `> **DAMAGED**: ${escapeMarkdown(description, width)}`),
    ...(isVoid
      ? [`> **VOID**: this verdict is not valid any more. ${escapeMarkdown(verdict.voidReason ?? '', width)}`]
      : []),
  ]
  const time = verdict.time === null ? '' : `, ${escapeMarkdown(formatMinute(verdict.time), 40)}`
  return [
    `## Dispatch: ${isVoid ? `VOID, was ${verdict.value}` : verdict.value}`,
    '',
    ...warnings,
    ...(warnings.length > 0 ? [''] : []),
    ...(verdict.reason === ''
      ? []
      : [`- ${isVoid ? 'was ' : ''}${verdict.value}: ${escapeMarkdown(verdict.reason, width)}`]),
    `- session ${formatInlineCode(matrix.sessionId, 120)}, ${escapeMarkdown(matrix.state, 60)}; round ${verdict.round} of ${verdict.maxRounds}${verdict.isFinal ? ', final' : ''}${time}`,
    `- independence: **${escapeMarkdown(verdict.independence, 120)}**; judge: ${escapeMarkdown(verdict.judge, width)}`,
    `- sandbox: ${escapeMarkdown(verdict.sandbox, width)}`,
    `- commit ${formatHash(verdict.commit)}, tree ${formatHash(verdict.tree)}`,
    ...matrix.landed.map(landed => `- ${describeLanded(landed, width)}`),
    `- contract: ${describeContract(contract)}; packet sha256 ${verdict.packetSha256 === null ? verdict.packetLabel : formatInlineCode(verdict.packetSha256, 64)}`,
    ...contract.dilutions.map(dilution => `  - weakened, with a person's approval: ${escapeMarkdown(dilution, width)}`),
    `- ${formatCount(sentences.length, 'sentence')}: ${coveredCount} covered, ${excludedCount} left out, ${matrix.uncoveredSentences.length} not covered`,
  ]
}

/** `2026-11-20 10:00 UTC` */
function formatMinute(time: string): string {
  return time.replace(/T(\d\d:\d\d).*/, ' $1 UTC')
}

function describeLanded({ branch, commit, tree, time }: Matrix['landed'][number], width: number): string {
  const when = escapeMarkdown(formatMinute(time), 40)
  return `landed on ${escapeMarkdown(branch, width)} as ${formatHash(commit)}, tree ${formatHash(tree)}, ${when}`
}

function describeContract({ state, sha256, version, dilutions }: Matrix['contract']): string {
  if (state === 'none') return 'none yet'
  if (state === 'draft' || sha256 === null) return 'a draft, not sealed'
  const weakened = dilutions.length === 0 ? 'never weakened' : `weakened ${formatCount(dilutions.length, 'time')}`
  return `version ${version}, sha256 ${formatInlineCode(sha256, 64)}, ${weakened}`
}

function formatHash(hash: string | null): string {
  return hash === null ? 'none' : formatInlineCode(hash, 64)
}

function renderUnlinkedClauses(matrix: Matrix, width: number): string[] {
  const clauses = matrix.clauses.filter(({ id }) => matrix.unlinkedClauses.includes(id))
  if (clauses.length === 0) return []
  const rows = clauses.map(clause => renderRow(['', ...renderCells(clause, width)]))
  return ['', '### Clauses that cover no sentence', '', ...renderTableHead(''), ...rows]
}

function renderTableHead(firstTitle: string): string[] {
  return [
    renderRow([firstTitle, 'clause', 'proof', 'before', 'after', 'verdict', 'evidence']),
    `|${' --- |'.repeat(7)}`,
  ]
}

/** The cells of one clause. At width 0 it was shown above, so only its verdict is repeated. */
function renderCells(clause: MatrixClause, width: number): string[] {
  const isJudged = clause.verdict !== 'not judged yet'
  const verdict = !isJudged ? clause.verdict : clause.isVoid ? `void, was ${clause.verdict}` : `**${clause.verdict}**`
  if (width === 0) return [`${escapeMarkdown(clause.id, 20)}, as above`, '', '', '', verdict, '']
  const proof = [
    clause.proof,
    formatInlineCode(clause.commandOrPaths, width),
    clause.expected === '' ? '' : `(${escapeMarkdown(clause.expected, width)})`,
  ]
  const evidence = clause.evidence.map(({ id, outputSha256 }) =>
    [formatInlineCode(id, 60), formatInlineCode(outputSha256?.slice(0, 12) ?? '', 12)].join(' ').trim(),
  )
  return [
    `**${escapeMarkdown(clause.id, 20)}** ${escapeMarkdown(clause.sentence, width)}`,
    proof.filter(Boolean).join(' '),
    formatOutcome(clause.baseOutcome, clause.baseTests),
    formatOutcome(clause.headOutcome, clause.headTests),
    [verdict, clause.note && escapeMarkdown(clause.note, width)].filter(Boolean).join('<br>'),
    evidence.join('<br>') || '—',
  ]
}

function formatOutcome(outcome: string, tests: TestCounts | undefined): string {
  return [outcome || '—', formatTestCounts(tests)].filter(Boolean).join('<br>')
}

function renderRow(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function renderList(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : ['', `### ${title}`, '', ...items.map(item => `- ${item}`)]
}

function formatCutNote({ sessionId }: Matrix, reason: string): string {
  return `\n_To fit into a comment, ${reason}. \`dispatch matrix ${sessionId.slice(-4)} --json\` has all of it._`
}

function joinLines(lines: string[], notes: string[]): string {
  return `${[...lines, ...notes].join('\n')}\n`
}
