import type { ClauseStatus, EvidenceRecord, SessionStatus, VerdictRecord } from '#session/readonly.ts'
import { type Badge, createBadge, formatClock } from '../format.ts'

export interface ClauseRow {
  id: string
  sentence: string
  proof: string
  base: Badge
  head: Badge
  verdict: Badge
  /** Why the clause has its verdict. */
  reason: string
  /** The judge's answer and reason. */
  judge: string
}

export interface EvidenceRow {
  id: string
  clause: string
  /** `before`, or the round. */
  when: string
  outcome: Badge
  command: string
  expected: string
  exitCode: string
  reason: string
  duration: string
  tree: string
  time: string
  outputTail: string
  /** There is more output than `outputTail`. */
  isCut: boolean
}

/** Build a row per clause: what is required, and what was seen. Pure. */
export function buildClauseRows(status: SessionStatus, record: VerdictRecord | undefined): ClauseRow[] {
  return status.clauses.map(clause => {
    const judged = record?.clauses.find(({ id }) => id === clause.id)
    return {
      id: clause.id,
      sentence: clause.sentence,
      proof: clause.proof,
      base: createBaseBadge(clause.baseOutcome),
      head: createBadge(clause.headOutcome),
      verdict: createBadge(clause.verdict),
      reason: judged?.reason ?? '',
      judge: judged?.judgement ? `${judged.judgement.met}, ${judged.judgement.reason}` : '',
    }
  })
}

/** Build the evidence of the base and of the last round in full, and that of earlier rounds without output. Pure. */
export function buildEvidenceRows(records: EvidenceRecord[]): { current: EvidenceRow[]; earlier: EvidenceRow[] } {
  const sorted = [...records].sort((a, b) => compareClauses(a, b) || a.round - b.round)
  const lastRound = Math.max(0, ...records.filter(({ side }) => side === 'head').map(({ round }) => round))
  const isEarlier = ({ side, round }: EvidenceRecord) => side === 'head' && round < lastRound
  return {
    current: sorted.filter(record => !isEarlier(record)).map(buildEvidenceRow),
    earlier: sorted
      .filter(isEarlier)
      .map(record => ({ ...buildEvidenceRow(record), outputTail: '', isCut: record.outputBytes > 0 })),
  }
}

// --- internal ---

function buildEvidenceRow(record: EvidenceRecord): EvidenceRow {
  const { outcome, outputTail } = record
  return {
    id: record.id,
    clause: record.clauseId,
    when: record.side === 'base' ? 'before' : `round ${record.round}`,
    outcome: record.side === 'base' ? createBaseBadge(outcome) : createBadge(outcome),
    command: record.command,
    expected: record.expected,
    exitCode: record.exitCode === null ? 'none' : String(record.exitCode),
    reason: record.reason,
    duration: `${(record.milliseconds / 1000).toFixed(1)} s`,
    tree: record.tree,
    time: formatClock(record.time),
    outputTail,
    isCut: record.outputBytes > Buffer.byteLength(outputTail),
  }
}

/** `C2` before `C10`. */
function compareClauses(a: EvidenceRecord, b: EvidenceRecord): number {
  return a.clauseId.localeCompare(b.clauseId, 'en', { numeric: true })
}

/** Before the work, a check should be red, so neither red nor green stands out. */
function createBaseBadge(outcome: ClauseStatus['baseOutcome']): Badge {
  const isUnsure = outcome === 'could not run' || outcome === 'flaky'
  return { label: outcome ?? '', tone: isUnsure ? 'unsure' : 'quiet' }
}
