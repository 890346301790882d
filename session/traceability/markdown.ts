import { escapeMarkdown, formatInlineCode } from './escape-markdown.ts'
import type { Matrix, MatrixClause } from './matrix.ts'
/** GitHub takes no comment that is longer. */
export const MAX_COMMENT_CHARS = 65_536

/**
 * The matrix as one page of Markdown that can be pasted into a pull request. Where it would be too long, long texts are cut
 * shorter, then rows are left out; it says so.
 */
export function renderMatrix(matrix: Matrix, maxChars = MAX_COMMENT_CHARS - 1536): string {
  for (const width of [600, 200, 80]) {
    const lines = page(matrix, width)
    const text = joined(lines, width < 600 ? [cutNote(matrix, `texts are cut at ${width} characters`)] : [])
    if (text.length <= maxChars) return text
  }
  const lines = page(matrix, 80)
  let kept = lines.length
  let length = joined(lines, []).length
  while (kept > 1 && length > maxChars - 300) length -= (lines[--kept]?.length ?? 0) + 1
  return joined(lines.slice(0, kept), ['', cutNote(matrix, `${lines.length - kept} lines are left out`)])
}

// --- the parts ---

function page(matrix: Matrix, width: number): string[] {
  const { sentences, clauses } = matrix
  const covered = sentences.flatMap(sentence =>
    sentence.clauseIds.map((id, at) => ({ sentence, clause: clauses.find(one => one.id === id), isFirst: at === 0 })),
  )
  const shown = new Set<string>()
  const rows = covered.flatMap(({ sentence, clause, isFirst }) => {
    if (clause === undefined) return []
    const said = isFirst ? `**${sentence.id}** ${escapeMarkdown(sentence.text, width)}` : ''
    const again = shown.has(clause.id)
    shown.add(clause.id)
    return [row([said, ...cells(clause, again ? 0 : width)])]
  })
  return [
    ...head(matrix, width),
    '',
    ...(rows.length > 0
      ? [...tableHead('sentence of the task'), ...rows]
      : ['No clause covers a sentence of the task yet.']),
    ...freePart(matrix, width),
    ...listPart(
      'Left out of the contract',
      sentences.flatMap(({ id, text, exclusionReason }) =>
        exclusionReason === undefined
          ? []
          : [`**${id}** ${escapeMarkdown(text, width)} — ${escapeMarkdown(exclusionReason, width)}`],
      ),
    ),
    ...listPart(
      'Not covered by any clause',
      sentences
        .filter(({ id }) => matrix.uncoveredSentences.includes(id))
        .map(({ id, text }) => `**${id}** ${escapeMarkdown(text, width)}`),
    ),
  ]
}

function head(matrix: Matrix, width: number): string[] {
  const { verdict, contract, sentences, damage } = matrix
  const word = verdict.voidReason === null ? verdict.value : `VOID, was ${verdict.value}`
  const leftOut = sentences.filter(sentence => sentence.exclusionReason !== undefined)
  const covered = sentences.filter(({ clauseIds }) => clauseIds.length > 0)
  return [
    `## Dispatch: ${verdict.value === 'not judged yet' ? 'not judged yet' : word}`,
    '',
    ...damage.map(what => `> **DAMAGED**: ${escapeMarkdown(what, width)}`),
    ...(verdict.voidReason === null
      ? []
      : [`> **VOID**: this verdict does not hold any more. ${escapeMarkdown(verdict.voidReason, width)}`]),
    ...(damage.length > 0 || verdict.voidReason !== null ? [''] : []),
    ...(verdict.reason === ''
      ? []
      : [`- ${verdict.voidReason === null ? '' : 'was '}${verdict.value}: ${escapeMarkdown(verdict.reason, width)}`]),
    `- session ${formatInlineCode(matrix.sessionId, 120)}, ${escapeMarkdown(matrix.state, 60)}; round ${verdict.round} of ${verdict.maxRounds}${verdict.isFinal ? ', final' : ''}${verdict.time === null ? '' : `, ${escapeMarkdown(verdict.time.replace(/T(\d\d:\d\d).*/, ' $1 UTC'), 40)}`}`,
    `- independence: **${escapeMarkdown(verdict.independence, 120)}**; judge: ${escapeMarkdown(verdict.judge, width)}`,
    `- sandbox: ${escapeMarkdown(verdict.sandbox, width)}`,
    `- commit ${hash(verdict.commit)}, tree ${hash(verdict.tree)}`,
    `- contract: ${contractWords(contract)}; packet sha256 ${verdict.packetSha256 === null ? verdict.packetLabel : formatInlineCode(verdict.packetSha256, 64)}`,
    ...contract.dilutions.map(what => `  - weakened, with a human's yes: ${escapeMarkdown(what, width)}`),
    `- ${sentences.length} ${sentences.length === 1 ? 'sentence' : 'sentences'}: ${covered.length} covered, ${leftOut.length} left out, ${matrix.uncoveredSentences.length} not covered`,
  ]
}

function contractWords({ state, sha256, version, dilutions }: Matrix['contract']): string {
  if (state === 'none') return 'none yet'
  if (state === 'draft' || sha256 === null) return 'a draft, not sealed'
  return `version ${version}, sha256 ${formatInlineCode(sha256, 64)}, ${dilutions.length === 0 ? 'never weakened' : `weakened ${dilutions.length} ${dilutions.length === 1 ? 'time' : 'times'}`}`
}

function hash(of: string | null): string {
  return of === null ? 'none' : formatInlineCode(of, 64)
}

function freePart(matrix: Matrix, width: number): string[] {
  const free = matrix.clauses.filter(({ id }) => matrix.unlinkedClauses.includes(id))
  if (free.length === 0) return []
  const rows = free.map(clause => row(['', ...cells(clause, width)]))
  return ['', '### Clauses that cover no sentence', '', ...tableHead(''), ...rows]
}

function tableHead(first: string): string[] {
  return [row([first, 'clause', 'proof', 'before', 'after', 'verdict', 'evidence']), `|${' --- |'.repeat(7)}`]
}

/** The cells of one clause; at width 0 it has been shown above, and only its verdict is said again. */
function cells(clause: MatrixClause, width: number): string[] {
  const isJudged = clause.verdict !== 'not judged yet'
  const verdict = !isJudged ? clause.verdict : clause.isVoid ? `void, was ${clause.verdict}` : `**${clause.verdict}**`
  if (width === 0) return [`${escapeMarkdown(clause.id, 20)}, as above`, '', '', '', verdict, '']
  const proof = [
    clause.proof,
    formatInlineCode(clause.commandOrPaths, width),
    clause.expected === '' ? '' : `(${escapeMarkdown(clause.expected, width)})`,
  ]
  return [
    `**${escapeMarkdown(clause.id, 20)}** ${escapeMarkdown(clause.sentence, width)}`,
    proof.filter(Boolean).join(' '),
    clause.baseOutcome || '—',
    clause.headOutcome || '—',
    [verdict, clause.note && escapeMarkdown(clause.note, width)].filter(Boolean).join('<br>'),
    clause.evidence
      .map(({ id, outputSha256 }) =>
        [formatInlineCode(id, 60), formatInlineCode(outputSha256?.slice(0, 12) ?? '', 12)].join(' ').trim(),
      )
      .join('<br>') || '—',
  ]
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function listPart(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : ['', `### ${title}`, '', ...items.map(item => `- ${item}`)]
}

function cutNote({ sessionId }: Matrix, what: string): string {
  return `\n_To fit into a comment, ${what}. \`dispatch matrix ${sessionId.slice(-4)} --json\` has all of it._`
}

function joined(lines: string[], notes: string[]): string {
  return `${[...lines, ...notes].join('\n')}\n`
}
