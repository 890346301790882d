import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { sanitize } from '#host/text.ts'
import type { Matrix, MatrixClause } from '#session/readonly.ts'
import { formatCount, formatDateTime, pickTone } from '../format.ts'
import { renderMatrixFragment } from '../render.ts'
import type { Badge } from './contract.ts'
import type { ClauseCellRow, MatrixPage } from './matrix-page.ts'

/** Put a matrix into its page. Pure. */
export function buildMatrixPage(matrix: Matrix): MatrixPage {
  const { verdict, contract, sentences, uncoveredSentences } = matrix
  const isVoid = verdict.voidReason !== null
  const word = isVoid ? `${verdict.value} (void)` : verdict.value
  const rows = new Map(matrix.clauses.map(clause => [clause.id, buildCellRow(clause)]))
  const leftOut = sentences.flatMap(({ id, text, exclusionReason: reason }) =>
    reason === undefined ? [] : [{ id, text, reason }],
  )
  const covered = sentences.filter(({ clauseIds }) => clauseIds.length > 0)
  const named = (ids: string[]) => ids.flatMap(id => rows.get(id) ?? [])
  return {
    title: `Matrix: ${word}`,
    id: matrix.sessionId,
    verdict: { word, tone: pickTone(word) },
    voided: verdict.voidReason ?? '',
    reason: verdict.reason,
    damage: matrix.damage,
    facts: buildFacts(matrix),
    dilutions: contract.dilutions,
    tally: `${formatCount(sentences.length, 'sentence')}: ${covered.length} covered, ${leftOut.length} left out, ${uncoveredSentences.length} not covered`,
    sentences: covered.map(({ id, text, clauseIds }) => ({ id, text, clauses: named(clauseIds) })),
    free: named(matrix.unlinkedClauses),
    leftOut,
    uncovered: sentences.filter(({ id }) => uncoveredSentences.includes(id)).map(({ id, text }) => ({ id, text })),
  }
}

/** The same as one HTML page that needs no other file and runs nothing. */
export function renderMatrixHtml(matrix: Matrix): string {
  const style = fs.readFileSync(path.join(installFolder, 'webui/public/style.css'), 'utf8')
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Matrix</title>
<style>
${style}</style>
</head>
<body>
<main>
${renderMatrixFragment(buildMatrixPage(matrix))}</main>
</body>
</html>
`
}

// --- internal ---

function buildFacts({ verdict, contract, state }: Matrix): [string, string][] {
  const sealed = `version ${contract.version}, sha256 ${contract.sha256}, ${contract.dilutions.length === 0 ? 'never weakened' : `weakened ${formatCount(contract.dilutions.length, 'time')}`}`
  const facts: [string, string][] = [
    ['state', state],
    ['round', `${verdict.round} of ${verdict.maxRounds}${verdict.isFinal ? ', final' : ''}`],
    ['given', verdict.time === null ? '' : formatDateTime(verdict.time)],
    ['independence', verdict.independence],
    ['judge', verdict.judge],
    ['sandbox', verdict.sandbox],
    ['commit', verdict.commit ?? 'none'],
    ['tree', verdict.tree ?? 'none'],
    [
      'contract',
      contract.state === 'sealed' ? sealed : contract.state === 'draft' ? 'a draft, not sealed' : 'none yet',
    ],
    ['packet sha256', verdict.packetLabel],
  ]
  return facts.filter(([, value]) => value !== '')
}

/** Of a void verdict nothing is green any more. */
function buildCellRow(clause: MatrixClause): ClauseCellRow {
  const { id, sentence, proof, commandOrPaths, expected, baseOutcome, headOutcome, verdict, isVoid, evidence } = clause
  const said = (word: string): Badge => ({
    word: sanitize(word),
    tone: isVoid ? 'unsure' : pickTone(word === 'kept' ? 'green' : word === 'broken' ? 'red' : word),
  })
  return {
    id,
    sentence,
    proof,
    shown: commandOrPaths,
    expected,
    before: baseOutcome,
    after: said(headOutcome),
    verdict: said(isVoid ? `${verdict} (void)` : verdict),
    evidence: evidence.map(({ id: name, outputSha256 = '' }) => ({ id: name, hash: outputSha256.slice(0, 12) })),
  }
}
