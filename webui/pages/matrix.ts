import { formatCount } from '#host/text.ts'
import { formatTestCounts, type Matrix } from '#session/readonly.ts'
import { type Badge, createBadge, formatDateTime } from '../format.ts'

const SHORT_HASH_CHARS = 12

export type MatrixPage = ReturnType<typeof buildMatrixPage>

/** Build what `views/matrix.eta` shows. Pure. */
export function buildMatrixPage(matrix: Matrix) {
  const { verdict, contract, sentences } = matrix
  const state = verdict.voidReason === null ? verdict.value : `${verdict.value} (void)`
  const rows = new Map(matrix.clauses.map(clause => [clause.id, buildClauseRow(clause)]))
  const selectRows = (ids: string[]) => ids.flatMap(id => rows.get(id) ?? [])
  const covered = sentences.filter(({ clauseIds }) => clauseIds.length > 0)
  const excluded = sentences.filter(({ exclusionReason }) => exclusionReason !== undefined)
  const uncovered = sentences.filter(({ id }) => matrix.uncoveredSentences.includes(id))
  return {
    title: `Matrix: ${state}`,
    id: matrix.sessionId,
    verdict: createBadge(state),
    voidReason: verdict.voidReason ?? '',
    reason: verdict.reason,
    damage: matrix.damage, // Files that are not as they were recorded.
    facts: buildFacts(matrix),
    dilutions: contract.dilutions,
    summary: `${formatCount(sentences.length, 'sentence')}: ${covered.length} covered, ${excluded.length} left out, ${uncovered.length} not covered`,
    coveredSentences: covered.map(sentence => ({ ...sentence, clauses: selectRows(sentence.clauseIds) })),
    unlinkedClauses: selectRows(matrix.unlinkedClauses),
    excludedSentences: excluded,
    uncoveredSentences: uncovered,
  }
}

// --- internal ---

function buildFacts(matrix: Matrix): [string, string][] {
  const { verdict, state } = matrix
  const facts: [string, string][] = [
    ['state', state],
    ['round', `${verdict.round} of ${verdict.maxRounds}${verdict.isFinal ? ', final' : ''}`],
    ['judged at', verdict.time === null ? '' : formatDateTime(verdict.time)],
    ['independence', verdict.independence],
    ['judge', verdict.judge],
    ['sandbox', verdict.sandbox],
    ['commit', verdict.commit ?? 'none'],
    ['tree', verdict.tree ?? 'none'],
    ['landed', matrix.landed.map(({ branch, commit }) => `on ${branch} as ${commit}`).join(', ')],
    ['contract', describeContract(matrix)],
    ['packet sha256', verdict.packetLabel],
  ]
  return facts.filter(([, value]) => value !== '')
}

function describeContract({ contract }: Matrix): string {
  const { state, version, sha256, dilutions } = contract
  if (state === 'none') return 'none yet'
  if (state === 'draft') return 'a draft, not sealed'
  const weakened = dilutions.length === 0 ? 'never weakened' : `weakened in ${formatCount(dilutions.length, 'point')}`
  return `version ${version}, sha256 ${sha256}, ${weakened}`
}

/** In a void verdict nothing is green. */
function buildClauseRow(clause: Matrix['clauses'][number]) {
  const { headOutcome, baseTests, headTests, verdict, isVoid, evidence } = clause
  return {
    ...clause,
    head: createOutcomeBadge(headOutcome, isVoid),
    baseTests: formatTestCounts(baseTests),
    headTests: formatTestCounts(headTests),
    verdict: createOutcomeBadge(isVoid ? `${verdict} (void)` : verdict, isVoid),
    evidence: evidence.map(({ id, outputSha256 = '' }) => ({ id, hash: outputSha256.slice(0, SHORT_HASH_CHARS) })),
  }
}

/** A scope that was kept is as good as a green check, and a broken one as bad as a red one. */
function createOutcomeBadge(label: string, isVoid: boolean): Badge {
  const { tone } = createBadge(label === 'kept' ? 'green' : label === 'broken' ? 'red' : label)
  return { label, tone: isVoid ? 'unsure' : tone }
}
