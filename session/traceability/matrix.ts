import { sha256 } from '#host/hash.ts'
import { type ClauseProof, getProofKind, listExpectations } from '../contract/clause.ts'
import { parseContract, splitSentences } from '../contract/contract.ts'
import type { EvidenceRecord } from '../evidence/evidence.ts'
import type { TestCounts } from '../evidence/test-counts.ts'
import { describeJudge, type VerdictRecord } from '../evidence/verdict.ts'
import type { ProofKind, Verdict } from '../log/event.ts'
import type { SessionStatus } from '../status/status-types.ts'

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

/** One clause and its result. */
export interface MatrixClause extends ClauseResult {
  id: string
  sentence: string
  covers: string[]
  proof: ProofKind
  /** The command of a check, or the globs of a scope. */
  commandOrPaths: string
  /** What a run of the check must show. */
  expected: string
}

interface ClauseResult {
  baseOutcome: string
  headOutcome: string
  /** How many tests ran on each side; missing if the check is not a test run. */
  baseTests?: TestCounts
  headTests?: TestCounts
  verdict: Verdict | 'not judged yet'
  /** Is the verdict on the session void, and so this one? */
  isVoid: boolean
  reason: string
  /** A note on how it was shown. */
  note?: string
  /** Each piece by its id, with the hash of its output if it has one. */
  evidence: { id: string; outputSha256?: string }[]
}

/** One sentence of the task, and the clauses that cover it. */
interface MatrixSentence {
  id: string
  text: string
  clauseIds: string[]
  /** Why it is left out of the contract; undefined if it is not. */
  exclusionReason?: string
}

/** The traceability matrix, from the task's sentences to their verdicts. Markdown, JSON and the page show it. */
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
  /** The branches that the work is on, and the commits there. */
  landed: SessionStatus['landed']
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
  const clauses: MatrixClause[] = contract
    ? contract.clauses.map(({ id, sentence, covers, proof }) => {
        return { id, sentence, covers, ...describeProof(proof), ...collectResult(id, input) }
      })
    : status.clauses.map(({ id, sentence, proof }) => {
        // The contract is missing or damaged, so a record of the check says what it was.
        const { command = '', expected = '' } = input.evidence.find(({ clauseId }) => clauseId === id) ?? {}
        return { id, sentence, covers: [], proof, commandOrPaths: command, expected, ...collectResult(id, input) }
      })
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
    landed: status.landed,
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
    judge: verdictRecord ? describeJudge(verdictRecord) : verdict ? NOT_RECORDED : `${models.judge}, not asked yet`,
    sandbox: verdictRecord?.sandbox ?? (verdict ? NOT_RECORDED : 'not judged yet'),
    commit: verdict?.commit ?? null,
    tree: verdict?.tree ?? null,
    packetSha256: verdictRecord?.packetSha256 ?? null,
    packetLabel: verdictRecord ? (verdictRecord.packetSha256 ?? 'none sent') : verdict ? NOT_RECORDED : 'none sent yet',
  }
}

function describeProof(proof: ClauseProof): Pick<MatrixClause, 'proof' | 'commandOrPaths' | 'expected'> {
  const kind = getProofKind(proof)
  if (proof.kind === 'judged') return { proof: kind, commandOrPaths: '', expected: '' }
  if (proof.kind === 'scope') return { proof: kind, commandOrPaths: proof.globs.join(' '), expected: '' }
  const pins = proof.pins === undefined ? [] : [`pinned: ${proof.pins.join(' ')}`]
  const expected = [...listExpectations(proof.expectation), ...pins].join(', ')
  return { proof: kind, commandOrPaths: proof.command, expected }
}

/** Head evidence counts only if it is from the judged tree. */
function collectResult(clauseId: string, { status, evidence, verdictRecord }: MatrixInput): ClauseResult {
  const { verdict } = status
  const clauseStatus = status.clauses.find(({ id }) => id === clauseId)
  const clauseVerdict = verdictRecord?.clauses.find(({ id }) => id === clauseId)
  const counting = evidence.filter(({ side, tree }) => side === 'base' || tree === verdict?.tree)
  const records = counting.filter(record => record.clauseId === clauseId)
  const base = records // After an amendment there are several, of which the newest counts.
    .filter(({ side }) => side === 'base')
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
    .at(-1)
  const head = records
    .filter(({ side }) => side === 'head')
    .sort((a, b) => a.round - b.round)
    .at(-1)
  const gate = clauseVerdict?.gate === 'none' ? undefined : clauseVerdict?.gate
  // A broken pin overrides the outcome of the check.
  const headOutcome = gate === 'broken' ? gate : (head?.outcome ?? gate ?? clauseStatus?.headOutcome)
  const baseTests = base?.tests ?? clauseStatus?.baseTests
  const headTests = head?.tests ?? clauseVerdict?.tests ?? clauseStatus?.headTests
  const own = [base, head].filter(record => record !== undefined)
  const cited = (clauseVerdict?.judgement?.evidence ?? []).filter(id => own.every(record => record.id !== id))
  return {
    baseOutcome: base?.outcome ?? clauseStatus?.baseOutcome ?? '',
    headOutcome: verdict ? (headOutcome ?? '') : '',
    ...(baseTests === undefined ? {} : { baseTests }),
    ...(headTests === undefined || !verdict ? {} : { headTests }),
    verdict: verdict ? (clauseStatus?.verdict ?? clauseVerdict?.verdict ?? 'not judged yet') : 'not judged yet',
    isVoid: verdict?.voidReason !== undefined,
    reason: clauseVerdict?.reason ?? '',
    ...(clauseVerdict?.note === undefined ? {} : { note: clauseVerdict.note }),
    evidence: [...own.map(({ id }) => id), ...cited].map(id => {
      const record = counting.find(known => known.id === id)
      return { id, ...(record && { outputSha256: record.outputSha256 }) } // The judge may cite a listing, too.
    }),
  }
}
