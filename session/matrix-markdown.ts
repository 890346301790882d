import { code, inline } from './markdown.ts'
import type { Matrix, MatrixClause } from './matrix.ts'

/** GitHub takes no comment that is longer. */
export const longestComment = 65_536

/**
 * The matrix as one page of Markdown that can be pasted into a pull request. Where it would be too long, long texts are cut
 * shorter, then rows are left out; it says so.
 */
export function renderMatrix(matrix: Matrix, most = longestComment - 1536): string {
  for (const width of [600, 200, 80]) {
    const lines = page(matrix, width)
    const text = joined(lines, width < 600 ? [cutNote(matrix, `texts are cut at ${width} characters`)] : [])
    if (text.length <= most) return text
  }
  const lines = page(matrix, 80)
  let kept = lines.length
  let length = joined(lines, []).length
  while (kept > 1 && length > most - 300) length -= (lines[--kept]?.length ?? 0) + 1
  return joined(lines.slice(0, kept), ['', cutNote(matrix, `${lines.length - kept} lines are left out`)])
}

// --- the parts ---

function page(matrix: Matrix, width: number): string[] {
  const { sentences, clauses } = matrix
  const covered = sentences.flatMap(sentence =>
    sentence.clauses.map((id, at) => ({ sentence, clause: clauses.find(one => one.id === id), isFirst: at === 0 })),
  )
  const shown = new Set<string>()
  const rows = covered.flatMap(({ sentence, clause, isFirst }) => {
    if (clause === undefined) return []
    const said = isFirst ? `**${sentence.id}** ${inline(sentence.text, width)}` : ''
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
      sentences.flatMap(({ id, text, leftOut }) =>
        leftOut === undefined ? [] : [`**${id}** ${inline(text, width)} — ${inline(leftOut, width)}`],
      ),
    ),
    ...listPart(
      'Not covered by any clause',
      sentences
        .filter(({ id }) => matrix.uncovered.includes(id))
        .map(({ id, text }) => `**${id}** ${inline(text, width)}`),
    ),
  ]
}

function head(matrix: Matrix, width: number): string[] {
  const { verdict, contract, sentences, damage } = matrix
  const word = verdict.voided === null ? verdict.is : `VOID, was ${verdict.is}`
  const leftOut = sentences.filter(sentence => sentence.leftOut !== undefined)
  const covered = sentences.filter(({ clauses }) => clauses.length > 0)
  return [
    `## Dispatch: ${verdict.is === 'not judged yet' ? 'not judged yet' : word}`,
    '',
    ...damage.map(what => `> **DAMAGED**: ${inline(what, width)}`),
    ...(verdict.voided === null
      ? []
      : [`> **VOID**: this verdict does not hold any more. ${inline(verdict.voided, width)}`]),
    ...(damage.length > 0 || verdict.voided !== null ? [''] : []),
    ...(verdict.reason === ''
      ? []
      : [`- ${verdict.voided === null ? '' : 'was '}${verdict.is}: ${inline(verdict.reason, width)}`]),
    `- session ${code(matrix.session, 120)}, ${inline(matrix.state, 60)}; round ${verdict.round} of ${verdict.rounds}${verdict.final ? ', final' : ''}${verdict.at === null ? '' : `, ${inline(verdict.at.replace(/T(\d\d:\d\d).*/, ' $1 UTC'), 40)}`}`,
    `- independence: **${inline(verdict.independence, 120)}**; judge: ${inline(verdict.judge, width)}`,
    `- sandbox: ${inline(verdict.sandbox, width)}`,
    `- commit ${hash(verdict.commit)}, tree ${hash(verdict.tree)}`,
    `- contract: ${contractWords(contract)}; packet sha256 ${verdict.packetSha256 === null ? verdict.packet : code(verdict.packetSha256, 64)}`,
    ...contract.dilutions.map(what => `  - weakened, with a human's yes: ${inline(what, width)}`),
    `- ${sentences.length} ${sentences.length === 1 ? 'sentence' : 'sentences'}: ${covered.length} covered, ${leftOut.length} left out, ${matrix.uncovered.length} not covered`,
  ]
}

function contractWords({ is, sha256, version, dilutions }: Matrix['contract']): string {
  if (is === 'none') return 'none yet'
  if (is === 'draft' || sha256 === null) return 'a draft, not sealed'
  return `version ${version}, sha256 ${code(sha256, 64)}, ${dilutions.length === 0 ? 'never weakened' : `weakened ${dilutions.length} ${dilutions.length === 1 ? 'time' : 'times'}`}`
}

function hash(of: string | null): string {
  return of === null ? 'none' : code(of, 64)
}

function freePart(matrix: Matrix, width: number): string[] {
  const free = matrix.clauses.filter(({ id }) => matrix.free.includes(id))
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
  const verdict = !isJudged ? clause.verdict : clause.voided ? `void, was ${clause.verdict}` : `**${clause.verdict}**`
  if (width === 0) return [`${inline(clause.id, 20)}, as above`, '', '', '', verdict, '']
  const proof = [
    clause.proof,
    code(clause.shown, width),
    clause.expected === '' ? '' : `(${inline(clause.expected, width)})`,
  ]
  return [
    `**${inline(clause.id, 20)}** ${inline(clause.sentence, width)}`,
    proof.filter(Boolean).join(' '),
    clause.before || '—',
    clause.after || '—',
    [verdict, clause.remark && inline(clause.remark, width)].filter(Boolean).join('<br>'),
    clause.evidence
      .map(({ id, outputSha256 }) => [code(id, 60), code(outputSha256?.slice(0, 12) ?? '', 12)].join(' ').trim())
      .join('<br>') || '—',
  ]
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function listPart(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : ['', `### ${title}`, '', ...items.map(item => `- ${item}`)]
}

function cutNote({ session }: Matrix, what: string): string {
  return `\n_To fit into a comment, ${what}. \`dispatch matrix ${session.slice(-4)} --json\` has all of it._`
}

function joined(lines: string[], notes: string[]): string {
  return `${[...lines, ...notes].join('\n')}\n`
}
