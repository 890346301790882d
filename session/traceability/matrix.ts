import { sha256 } from '#host/hash.ts'
import type { ClauseProof, ContractClause } from '../contract/clause.ts'
import { parseContract, splitSentences } from '../contract/contract.ts'
import type { EvidenceRecord } from '../evidence/evidence.ts'
import type { VerdictRecord } from '../evidence/verdict.ts'
import type { Verdict } from '../log/event.ts'
import type { ClauseStatus, SessionStatus } from '../status/status-types.ts'

/** What a traceability matrix is built from. */
export interface MatrixInput {
  sessionId: string
  task: string
  /** The text of the sealed contract, or of the draft before the seal; undefined if there is neither. */
  contractText: string | undefined
  evidence: EvidenceRecord[]
  /** The verdict record of the status's verdict. */
  verdictRecord: VerdictRecord | undefined
  status: SessionStatus
  state: string
}

/** One piece of evidence by its id, with the hash of its output if it has one. */
interface EvidenceReference {
  id: string
  outputSha256?: string
}

/** One clause and its result. */
export interface MatrixClause {
  id: string
  sentence: string
  covers: string[]
  proof: 'check' | 'guard' | 'judged' | 'scope'
  /** The command of a check, or the globs of a scope. */
  commandOrPaths: string
  /** What a run of the check must show. */
  expected: string
  baseOutcome: string
  headOutcome: string
  verdict: Verdict | 'not judged yet'
  /** Is the verdict on the session void, and so this one? */
  isVoid: boolean
  reason: string
  /** A note on how it was shown. */
  note?: string
  evidence: EvidenceReference[]
}

/** One sentence of the task, and the clauses that cover it. */
interface MatrixSentence {
  id: string
  text: string
  clauseIds: string[]
  /** Why it is left out of the contract; undefined if it is not. */
  exclusionReason?: string
}

/**
 * The traceability matrix, from the task's sentences to their verdicts, as plain values. Markdown, JSON and the page
 * show it.
 */
export interface Matrix {
  format: 1
  sessionId: string
  state: string
  verdict: {
    value: Verdict | 'not judged yet'
    /** Why it is void; null while it is valid. */
    voidReason: string | null
    reason: string
    round: number
    maxRounds: number
    isFinal: boolean
    time: string | null
    independence: string
    judge: string
    sandbox: string
    commit: string | null
    tree: string | null
    packetSha256: string | null
    /** The hash, or why it is missing. */
    packetLabel: string
  }
  contract: { state: 'sealed' | 'draft' | 'none'; sha256: string | null; version: number; dilutions: string[] }
  /** What differs from the record. */
  damage: string[]
  sentences: MatrixSentence[]
  clauses: MatrixClause[]
  /** Clauses that cover no sentence of the task. */
  unlinkedClauses: string[]
  /** Sentences that no clause covers and that are not left out. */
  uncoveredSentences: string[]
}

/** Build the matrix from the task, the contract, the evidence and the verdict. Pure. */
export function buildMatrix(input: MatrixInput): Matrix {
  const { sessionId, state, status, contractText: text } = input
  const isDamaged = status.contract !== undefined && (text === undefined || sha256(text) !== status.contract.sha256)
  const contract =
    text === undefined || isDamaged ? undefined : parseContract(text, { allowsJudgedOnly: true }).contract
  const clauses = contract
    ? contract.clauses.map(clause => buildClauseRow(clause, input))
    : status.clauses.map(clause => buildRecordedRow(clause, input))
  const sentences = splitSentences(input.task).map((sentence, index) => {
    const id = `S${index + 1}`
    const exclusionReason = contract?.exclusions.find(exclusion => exclusion.sentenceId === id)?.reason
    const clauseIds = clauses.filter(({ covers }) => covers.includes(id)).map(clause => clause.id)
    return { id, text: sentence, clauseIds, ...(exclusionReason === undefined ? {} : { exclusionReason }) }
  })
  const sentenceIds = new Set(sentences.map(({ id }) => id))
  return {
    format: 1,
    sessionId,
    state,
    verdict: buildVerdict(input),
    contract: {
      state: status.contract ? 'sealed' : contract ? 'draft' : 'none',
      sha256: status.contract?.sha256 ?? null,
      version: status.contract?.version ?? 0,
      dilutions: status.contract?.dilutions ?? [],
    },
    damage: isDamaged
      ? ['contract.md is not what was sealed. The clauses are from the log, which does not record what they cover.']
      : [],
    sentences,
    clauses,
    unlinkedClauses: clauses.filter(({ covers }) => !covers.some(id => sentenceIds.has(id))).map(({ id }) => id),
    uncoveredSentences: sentences
      .filter(({ clauseIds, exclusionReason }) => clauseIds.length === 0 && exclusionReason === undefined)
      .map(({ id }) => id),
  }
}

/** Mark the verdict as void. A matrix that is void already, or not judged yet, is returned unchanged. Pure. */
export function voidMatrix(matrix: Matrix, voidReason: string): Matrix {
  const { verdict, clauses, state } = matrix
  if (verdict.value === 'not judged yet' || verdict.voidReason !== null) return matrix
  return {
    ...matrix,
    state: state === verdict.value ? `${state} (void)` : state,
    verdict: { ...verdict, voidReason },
    clauses: clauses.map(clause => ({ ...clause, isVoid: true })),
  }
}

// --- internal ---

const NOT_RECORDED = 'not in verdict.json'

function buildVerdict({ status, verdictRecord }: MatrixInput): Matrix['verdict'] {
  const { verdict, maxRounds, models } = status
  return {
    value: verdict?.verdict ?? 'not judged yet',
    voidReason: verdict?.voidReason ?? null,
    reason: verdict?.reason ?? '',
    round: verdict?.round ?? status.round,
    maxRounds,
    isFinal: verdict?.isFinal ?? false,
    time: verdict?.time ?? null,
    independence: verdict?.independence ?? 'not judged yet',
    judge: verdictRecord?.judge ?? (verdict ? NOT_RECORDED : `${models.judge}, not asked yet`),
    sandbox: verdictRecord?.sandbox ?? (verdict ? NOT_RECORDED : 'not judged yet'),
    commit: verdict?.commit ?? null,
    tree: verdict?.tree ?? null,
    packetSha256: verdictRecord?.packetSha256 ?? null,
    packetLabel: verdictRecord ? (verdictRecord.packetSha256 ?? 'none sent') : verdict ? NOT_RECORDED : 'none sent yet',
  }
}

function buildClauseRow({ id, sentence, covers, proof }: ContractClause, input: MatrixInput): MatrixClause {
  const clauseStatus = input.status.clauses.find(clause => clause.id === id)
  return {
    ...collectOutcomes(id, clauseStatus, input),
    id,
    sentence,
    covers,
    proof: proof.kind === 'check' && proof.isGuard ? 'guard' : proof.kind,
    commandOrPaths: proof.kind === 'check' ? proof.command : proof.kind === 'scope' ? proof.globs.join(' ') : '',
    expected: describeExpectation(proof),
  }
}

/** Build a row from the log, because the contract itself is missing or damaged. */
function buildRecordedRow(clause: ClauseStatus, input: MatrixInput): MatrixClause {
  const { id, sentence, proof } = clause
  const record = input.evidence.find(({ clauseId }) => clauseId === id)
  const outcomes = collectOutcomes(id, clause, input)
  return {
    ...outcomes,
    id,
    sentence,
    covers: [],
    proof,
    commandOrPaths: record?.command ?? '',
    expected: record?.expected ?? '',
  }
}

type ClauseOutcomes = Pick<
  MatrixClause,
  'baseOutcome' | 'headOutcome' | 'verdict' | 'isVoid' | 'reason' | 'note' | 'evidence'
>

/** Head evidence counts only if it is from the judged tree. */
function collectOutcomes(
  clauseId: string,
  clauseStatus: ClauseStatus | undefined,
  { status, evidence, verdictRecord }: MatrixInput,
): ClauseOutcomes {
  const { verdict } = status
  const clauseVerdict = verdictRecord?.clauses.find(({ id }) => id === clauseId)
  const records = evidence.filter(record => record.clauseId === clauseId)
  const base = records
    .filter(({ side }) => side === 'base')
    .sort(compareTimes)
    .at(-1)
  const head = records
    .filter(({ side, tree }) => side === 'head' && tree === verdict?.tree)
    .sort(compareRounds)
    .at(-1)
  const gate = clauseVerdict?.gate === 'none' ? undefined : clauseVerdict?.gate
  // A broken pin overrides the outcome of the check.
  const headOutcome = gate === 'broken' ? gate : (head?.outcome ?? gate ?? clauseStatus?.headOutcome)
  return {
    baseOutcome: base?.outcome ?? clauseStatus?.baseOutcome ?? '',
    headOutcome: verdict ? (headOutcome ?? '') : '',
    verdict: verdict ? (clauseStatus?.verdict ?? clauseVerdict?.verdict ?? 'not judged yet') : 'not judged yet',
    isVoid: verdict?.voidReason !== undefined,
    reason: clauseVerdict?.reason ?? '',
    ...(clauseVerdict?.note === undefined ? {} : { note: clauseVerdict.note }),
    evidence: [
      ...[base, head].flatMap(record => (record ? [{ id: record.id, outputSha256: record.outputSha256 }] : [])),
      ...(clauseVerdict?.judgement?.evidence ?? [])
        .filter(id => id !== base?.id && id !== head?.id)
        .map(id => referenceEvidence(id, evidence, verdict?.tree)),
    ],
  }
}

/** Evidence that the judge cited. Some of it is not a check, such as the listing, and has no hash. */
function referenceEvidence(id: string, evidence: EvidenceRecord[], judgedTree: string | undefined): EvidenceReference {
  const record = evidence.find(
    ({ id: recordId, side, tree }) => recordId === id && (side === 'base' || tree === judgedTree),
  )
  return { id, ...(record === undefined ? {} : { outputSha256: record.outputSha256 }) }
}

/** After an amendment there are several base records, of which the newest counts. */
function compareTimes(a: EvidenceRecord, b: EvidenceRecord): number {
  return Date.parse(a.time) - Date.parse(b.time)
}

function compareRounds(a: EvidenceRecord, b: EvidenceRecord): number {
  return a.round - b.round
}

function describeExpectation(proof: ClauseProof): string {
  if (proof.kind !== 'check') return ''
  const { exitCode, outputContains, outputMatches, outputEquals } = proof.expectation
  return [
    `exit ${exitCode}`,
    ...outputContains.map(text => `output contains ${JSON.stringify(text)}`),
    ...outputMatches.map(text => `output matches /${text}/`),
    ...(outputEquals === undefined ? [] : [`output equals ${JSON.stringify(outputEquals)}`]),
    ...(proof.pins === undefined ? [] : [`pinned: ${proof.pins.join(' ')}`]),
  ].join(', ')
}
