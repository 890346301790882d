import type { Badge } from './contract.ts'

/** The matrix page: what `views/matrix.eta` shows. */
export interface MatrixPage {
  title: string
  id: string
  verdict: Badge
  voided: string
  reason: string
  damage: string[]
  facts: [string, string][]
  dilutions: string[]
  /** How many sentences there are, and what became of them, in words. */
  tally: string
  sentences: SentenceRow[]
  free: ClauseCellRow[]
  leftOut: { id: string; text: string; reason: string }[]
  uncovered: { id: string; text: string }[]
}

/** A sentence of the task, and the clauses that cover it. */
export interface SentenceRow {
  id: string
  text: string
  clauses: ClauseCellRow[]
}

export interface ClauseCellRow {
  id: string
  sentence: string
  proof: string
  shown: string
  expected: string
  before: string
  after: Badge
  verdict: Badge
  evidence: { id: string; hash: string }[]
}
