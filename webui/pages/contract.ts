import type { ClauseStatus, EvidenceRecord, SessionStatus } from '#session/readonly.ts'
import type { VerdictSummary } from '../files.ts'
import { formatClock, pickTone, type Tone } from '../format.ts'
/** A word and how loud it is. */
export interface Badge {
  word: string
  tone: Tone
}

export interface ClauseRow {
  id: string
  sentence: string
  proof: string
  base: Badge
  head: Badge
  verdict: Badge
  /** What the verdict on this clause rests on, and the judge's own words. */
  reason: string
  judge: string
}

export interface EvidenceRow {
  id: string
  clause: string
  when: string
  outcome: Badge
  command: string
  expected: string
  exit: string
  reason: string
  took: string
  tree: string
  at: string
  tail: string
  cut: boolean
}

/** Clause by clause, what was asked beside what was seen. Pure. */
export function buildClauseRows(status: SessionStatus, judgement: VerdictSummary | undefined): ClauseRow[] {
  return status.clauses.map(clause => {
    const judged = judgement?.clauses.find(candidate => candidate.id === clause.id)
    return {
      id: clause.id,
      sentence: clause.sentence,
      proof: clause.proof,
      base: { word: clause.baseOutcome ?? '', tone: pickBaseTone(clause) },
      head: toBadge(clause.headOutcome),
      verdict: toBadge(clause.verdict),
      reason: judged?.reason ?? '',
      judge: judged?.judgement ? `${judged.judgement.met}: ${judged.judgement.reason}` : '',
    }
  })
}

/** The judge's word counts only beside the verdict it was written for. Pure. */
export function selectVerdictSummary(
  status: SessionStatus,
  written: VerdictSummary | undefined,
): VerdictSummary | undefined {
  const { verdict } = status
  return verdict && written?.round === verdict.round && written.tree === verdict.tree ? written : undefined
}

/** The evidence of the base and of the last round in full; of earlier rounds only what came out. Pure. */
export function buildEvidenceRows(records: EvidenceRecord[]): { now: EvidenceRow[]; earlier: EvidenceRow[] } {
  const ordered = [...records].sort((a, b) => compareByClause(a, b) || a.round - b.round)
  const last = Math.max(0, ...records.filter(record => record.side === 'head').map(record => record.round))
  const isEarlier = (record: EvidenceRecord) => record.side === 'head' && record.round < last
  return {
    now: ordered.filter(record => !isEarlier(record)).map(buildEvidenceRow),
    earlier: ordered
      .filter(isEarlier)
      .map(record => ({ ...buildEvidenceRow(record), tail: '', cut: record.outputBytes > 0 })),
  }
}

function buildEvidenceRow(record: EvidenceRecord): EvidenceRow {
  return {
    id: record.id,
    clause: record.clauseId,
    when: record.side === 'base' ? 'before' : `round ${record.round}`,
    outcome: {
      word: record.outcome,
      tone: record.side === 'base' ? pickOutcomeTone(record.outcome) : pickTone(record.outcome),
    },
    command: record.command,
    expected: record.expected,
    exit: record.exitCode === null ? 'none' : String(record.exitCode),
    reason: record.reason,
    took: `${(record.milliseconds / 1000).toFixed(1)} s`,
    tree: record.tree,
    at: formatClock(record.time),
    tail: record.outputTail,
    cut: record.outputBytes > Buffer.byteLength(record.outputTail),
  }
}

/** `C2` before `C10`. */
function compareByClause(a: EvidenceRecord, b: EvidenceRecord): number {
  return a.clauseId.localeCompare(b.clauseId, 'en', { numeric: true })
}

function toBadge(word: string | undefined): Badge {
  return { word: word ?? '', tone: pickTone(word ?? '') }
}

function pickBaseTone(clause: ClauseStatus): Tone {
  return clause.baseOutcome === undefined ? 'quiet' : pickOutcomeTone(clause.baseOutcome)
}

/** Before the work, red is what a check should be: nothing to be loud about. */
function pickOutcomeTone(outcome: string): Tone {
  return outcome === 'could not run' || outcome === 'flaky' ? 'unsure' : 'quiet'
}
