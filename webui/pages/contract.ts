import { type EvidenceRecord, formatTestCounts, type SessionStatus, type VerdictRecord } from '#session/readonly.ts'
import { type Badge, createBadge, formatClock } from '../format.ts'

/** Build a row per clause: what is required, what was seen, and why it has its verdict. Pure. */
export function buildClauseRows(status: SessionStatus, record: VerdictRecord | undefined) {
  return status.clauses.map(clause => {
    const judged = record?.clauses.find(({ id }) => id === clause.id)
    return {
      ...clause,
      base: createBaseBadge(clause.baseOutcome),
      head: createBadge(clause.headOutcome),
      baseTests: formatTestCounts(clause.baseTests),
      headTests: formatTestCounts(clause.headTests),
      verdict: createBadge(clause.verdict),
      reason: judged?.reason ?? '',
      judge: judged?.judgement ? `${judged.judgement.met}, ${judged.judgement.reason}` : '',
    }
  })
}

/** Build the evidence of the base and of the last round in full, and that of earlier rounds without output. Pure. */
export function buildEvidenceRows(records: EvidenceRecord[]) {
  // `C2` before `C10`.
  const { compare } = new Intl.Collator('en', { numeric: true })
  const sorted = records.toSorted((a, b) => compare(a.clauseId, b.clauseId) || a.round - b.round)
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

function buildEvidenceRow(record: EvidenceRecord) {
  const { side, outcome } = record
  return {
    ...record,
    when: side === 'base' ? 'before' : `round ${record.round}`,
    outcome: side === 'base' ? createBaseBadge(outcome) : createBadge(outcome),
    exitCode: String(record.exitCode ?? 'none'),
    tests: formatTestCounts(record.tests),
    duration: `${(record.milliseconds / 1000).toFixed(1)} s`,
    time: formatClock(record.time),
    // There is more output than the tail.
    isCut: record.outputBytes > Buffer.byteLength(record.outputTail),
  }
}

/** Before the work, a check should be red, so neither red nor green stands out. */
function createBaseBadge(outcome: SessionStatus['clauses'][number]['baseOutcome']): Badge {
  const isUnsure = outcome === 'could not run' || outcome === 'flaky'
  return { label: outcome ?? '', tone: isUnsure ? 'unsure' : 'quiet' }
}
