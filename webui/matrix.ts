import fs from 'node:fs'
import path from 'node:path'
import { install, printable } from '../host/index.ts'
import type { Matrix, MatrixClause } from '../session/read.ts'
import type { Said } from './contract.ts'
import { matrixPiece } from './render.ts'
import { counted, dayAndTime, toneOf } from './words.ts'

/** The matrix page: what `views/matrix.eta` shows. */
export interface MatrixPage {
  title: string
  id: string
  verdict: Said
  voided: string
  reason: string
  damage: string[]
  facts: [string, string][]
  dilutions: string[]
  /** How many sentences there are, and what became of them, in words. */
  tally: string
  sentences: SentenceRow[]
  free: CellRow[]
  leftOut: { id: string; text: string; why: string }[]
  uncovered: { id: string; text: string }[]
}

/** A sentence of the task, and the clauses that cover it. */
export interface SentenceRow {
  id: string
  text: string
  clauses: CellRow[]
}

export interface CellRow {
  id: string
  sentence: string
  proof: string
  shown: string
  expected: string
  before: string
  after: Said
  verdict: Said
  evidence: { id: string; hash: string }[]
}

/** Put a matrix into its page. Pure. */
export function matrixPage(matrix: Matrix): MatrixPage {
  const { verdict, contract, sentences, uncovered } = matrix
  const isVoid = verdict.voided !== null
  const word = isVoid ? `${verdict.is} (void)` : verdict.is
  const rows = new Map(matrix.clauses.map(clause => [clause.id, cellRow(clause)]))
  const leftOut = sentences.flatMap(({ id, text, leftOut: why }) => (why === undefined ? [] : [{ id, text, why }]))
  const covered = sentences.filter(({ clauses }) => clauses.length > 0)
  const named = (ids: string[]) => ids.flatMap(id => rows.get(id) ?? [])
  return {
    title: `Matrix: ${word}`,
    id: matrix.session,
    verdict: { word, tone: toneOf(word) },
    voided: verdict.voided ?? '',
    reason: verdict.reason,
    damage: matrix.damage,
    facts: factsOf(matrix),
    dilutions: contract.dilutions,
    tally: `${counted(sentences.length, 'sentence')}: ${covered.length} covered, ${leftOut.length} left out, ${uncovered.length} not covered`,
    sentences: covered.map(({ id, text, clauses }) => ({ id, text, clauses: named(clauses) })),
    free: named(matrix.free),
    leftOut,
    uncovered: sentences.filter(({ id }) => uncovered.includes(id)).map(({ id, text }) => ({ id, text })),
  }
}

/** The same as one HTML page that needs no other file and runs nothing. */
export function matrixHtml(matrix: Matrix): string {
  const style = fs.readFileSync(path.join(install, 'webui/public/style.css'), 'utf8')
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
${matrixPiece(matrixPage(matrix))}</main>
</body>
</html>
`
}

// --- internal ---

function factsOf({ verdict, contract, state }: Matrix): [string, string][] {
  const sealed = `version ${contract.version}, sha256 ${contract.sha256}, ${contract.dilutions.length === 0 ? 'never weakened' : `weakened ${counted(contract.dilutions.length, 'time')}`}`
  const facts: [string, string][] = [
    ['state', state],
    ['round', `${verdict.round} of ${verdict.rounds}${verdict.final ? ', final' : ''}`],
    ['given', verdict.at === null ? '' : dayAndTime(verdict.at)],
    ['independence', verdict.independence],
    ['judge', verdict.judge],
    ['sandbox', verdict.sandbox],
    ['commit', verdict.commit ?? 'none'],
    ['tree', verdict.tree ?? 'none'],
    ['contract', contract.is === 'sealed' ? sealed : contract.is === 'draft' ? 'a draft, not sealed' : 'none yet'],
    ['packet sha256', verdict.packet],
  ]
  return facts.filter(([, value]) => value !== '')
}

/** Of a void verdict nothing is green any more. */
function cellRow(clause: MatrixClause): CellRow {
  const { id, sentence, proof, shown, expected, before, after, verdict, voided, evidence } = clause
  const said = (word: string): Said => ({
    word: printable(word),
    tone: voided ? 'unsure' : toneOf(word === 'kept' ? 'green' : word === 'broken' ? 'red' : word),
  })
  return {
    id,
    sentence,
    proof,
    shown,
    expected,
    before,
    after: said(after),
    verdict: said(voided ? `${verdict} (void)` : verdict),
    evidence: evidence.map(({ id: name, outputSha256 = '' }) => ({ id: name, hash: outputSha256.slice(0, 12) })),
  }
}
