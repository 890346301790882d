import type { Clause, EvidenceRecord, Status } from '../session/read.ts'
import type { Judgement } from './files.ts'
import { clock, type Tone, toneOf } from './words.ts'

/** A word and how loud it is. */
export interface Said {
  word: string
  tone: Tone
}

export interface ClauseRow {
  id: string
  sentence: string
  proof: string
  base: Said
  head: Said
  verdict: Said
  /** What the verdict on this clause rests on, and the judge's own words. */
  because: string
  judge: string
}

export interface EvidenceRow {
  id: string
  clause: string
  when: string
  outcome: Said
  command: string
  expected: string
  exit: string
  why: string
  took: string
  tree: string
  at: string
  tail: string
  cut: boolean
}

/** Clause by clause, what was asked beside what was seen. Pure. */
export function clauseRows(status: Status, judgement: Judgement | undefined): ClauseRow[] {
  return status.clauses.map(clause => {
    const judged = judgement?.clauses.find(candidate => candidate.id === clause.id)
    return {
      id: clause.id,
      sentence: clause.sentence,
      proof: clause.proof,
      base: { word: clause.base ?? '', tone: beforeTone(clause) },
      head: said(clause.head),
      verdict: said(clause.verdict),
      because: judged?.because ?? '',
      judge: judged?.judge ? `${judged.judge.met}: ${judged.judge.why}` : '',
    }
  })
}

/** The judge's word counts only beside the verdict it was written for. Pure. */
export function judgementOf(status: Status, written: Judgement | undefined): Judgement | undefined {
  const { verdict } = status
  return verdict && written?.round === verdict.round && written.tree === verdict.tree ? written : undefined
}

/** The evidence of the base and of the last round in full; of earlier rounds only what came out. Pure. */
export function evidenceRows(records: EvidenceRecord[]): { now: EvidenceRow[]; earlier: EvidenceRow[] } {
  const ordered = [...records].sort((a, b) => byClause(a, b) || a.round - b.round)
  const last = Math.max(0, ...records.filter(record => record.side === 'head').map(record => record.round))
  const isEarlier = (record: EvidenceRecord) => record.side === 'head' && record.round < last
  return {
    now: ordered.filter(record => !isEarlier(record)).map(rowOf),
    earlier: ordered.filter(isEarlier).map(record => ({ ...rowOf(record), tail: '', cut: record.outputBytes > 0 })),
  }
}

function rowOf(record: EvidenceRecord): EvidenceRow {
  return {
    id: record.id,
    clause: record.clause,
    when: record.side === 'base' ? 'before' : `round ${record.round}`,
    outcome: { word: record.outcome, tone: record.side === 'base' ? baseTone(record.outcome) : toneOf(record.outcome) },
    command: record.command,
    expected: record.expected,
    exit: record.exit === null ? 'none' : String(record.exit),
    why: record.why,
    took: `${(record.milliseconds / 1000).toFixed(1)} s`,
    tree: record.tree,
    at: clock(record.at),
    tail: record.tail,
    cut: record.outputBytes > Buffer.byteLength(record.tail),
  }
}

/** `C2` before `C10`. */
function byClause(a: EvidenceRecord, b: EvidenceRecord): number {
  return a.clause.localeCompare(b.clause, 'en', { numeric: true })
}

function said(word: string | undefined): Said {
  return { word: word ?? '', tone: toneOf(word ?? '') }
}

function beforeTone(clause: Clause): Tone {
  return clause.base === undefined ? 'quiet' : baseTone(clause.base)
}

/** Before the work, red is what a check should be: nothing to be loud about. */
function baseTone(outcome: string): Tone {
  return outcome === 'could not run' || outcome === 'flaky' ? 'unsure' : 'quiet'
}
