import { createHash } from 'node:crypto'
import type { ClauseProof, ContractClause } from '../contract/clause.ts'
import { parseContract, splitSentences } from '../contract/contract.ts'
import type { EvidenceRecord } from '../evidence/evidence.ts'
import type { VerdictRecord } from '../evidence/verdict.ts'
import type { Verdict } from '../log/event.ts'
import type { ClauseStatus, SessionStatus } from '../status/status-types.ts'

/** What a matrix is made of, as it was read. */
export interface MatrixInput {
  sessionId: string
  task: string
  /** The bytes of the contract: the sealed one, or the draft before the seal; undefined where there is none. */
  contractText: string | undefined
  evidence: EvidenceRecord[]
  /** The written verdict that belongs to the status, if there is one. */
  verdictRecord: VerdictRecord | undefined
  status: SessionStatus
  state: string
}

/** One piece of evidence by its id, with the hash of the output where a program gave one. */
interface EvidenceReference {
  id: string
  outputSha256?: string
}

/** One clause, and how it came out. */
export interface MatrixClause {
  id: string
  sentence: string
  covers: string[]
  proof: 'check' | 'guard' | 'judged' | 'scope'
  /** The command of a check; the paths of a scope. */
  commandOrPaths: string
  /** What a check's run must show, in words. */
  expected: string
  baseOutcome: string
  headOutcome: string
  verdict: Verdict | 'not judged yet'
  /** The verdict on the whole does not hold any more, and so this one does not. */
  isVoid: boolean
  reason: string
  /** What a reader should know of how it was shown; undefined where there is nothing. */
  note?: string
  evidence: EvidenceReference[]
}

/** Sentence by sentence: what became of it. */
interface MatrixSentence {
  id: string
  text: string
  clauseIds: string[]
  /** Why it was left out of the contract; undefined for one that was not. */
  exclusionReason?: string
}

/** From the words of the task to the verdict on them, as plain values: what every form of the page is made of. */
export interface Matrix {
  format: 1
  sessionId: string
  state: string
  verdict: {
    value: Verdict | 'not judged yet'
    /** Why it does not hold any more; null for one that does. */
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
    /** The same in words, also where there is none. */
    packetLabel: string
  }
  contract: { state: 'sealed' | 'draft' | 'none'; sha256: string | null; version: number; dilutions: string[] }
  /** What of the record is not as it was recorded. */
  damage: string[]
  sentences: MatrixSentence[]
  clauses: MatrixClause[]
  /** Clauses that cover no sentence of the task. */
  unlinkedClauses: string[]
  /** Sentences that no clause covers and that nobody has left out. */
  uncoveredSentences: string[]
}

/** Lay the task beside the contract, the evidence and the verdict. Pure. */
export function buildMatrix(input: MatrixInput): Matrix {
  const { sessionId, state, status, contractText: text } = input
  const isBroken = status.contract !== undefined && (text === undefined || sha256(text) !== status.contract.sha256)
  const contract = text === undefined || isBroken ? undefined : parseContract(text, { allowsJudgedOnly: true }).contract
  const clauses = contract
    ? contract.clauses.map(clause => buildClauseRow(clause, input))
    : status.clauses.map(clause => buildRecordedRow(clause, input))
  const sentences = splitSentences(input.task).map((sentence, at) => {
    const id = `S${at + 1}`
    const exclusionReason = contract?.exclusions.find(exclusion => exclusion.sentenceId === id)?.reason
    const covering = clauses.filter(({ covers }) => covers.includes(id)).map(clause => clause.id)
    return { id, text: sentence, clauseIds: covering, ...(exclusionReason === undefined ? {} : { exclusionReason }) }
  })
  const known = new Set(sentences.map(({ id }) => id))
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
    damage: isBroken
      ? ['contract.md is not what was sealed. The clauses are those of the log, which does not know what they cover.']
      : [],
    sentences,
    clauses,
    unlinkedClauses: clauses.filter(({ covers }) => !covers.some(id => known.has(id))).map(({ id }) => id),
    uncoveredSentences: sentences
      .filter(one => one.clauseIds.length === 0 && one.exclusionReason === undefined)
      .map(({ id }) => id),
  }
}

/** The same with a verdict that does not hold any more; one that is void already stays as it is. Pure. */
export function voidMatrix(matrix: Matrix, why: string): Matrix {
  const { verdict, clauses, state } = matrix
  if (verdict.value === 'not judged yet' || verdict.voidReason !== null) return matrix
  return {
    ...matrix,
    state: state === verdict.value ? `${state} (void)` : state,
    verdict: { ...verdict, voidReason: why },
    clauses: clauses.map(clause => ({ ...clause, isVoid: true })),
  }
}

// --- internal ---

const NOT_RECORDED = 'verdict.json does not tell'

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
  const known = input.status.clauses.find(clause => clause.id === id)
  return {
    ...collectOutcomes(id, known, input),
    id,
    sentence,
    covers,
    proof: proof.kind === 'check' && proof.isGuard ? 'guard' : proof.kind,
    commandOrPaths: proof.kind === 'check' ? proof.command : proof.kind === 'scope' ? proof.globs.join(' ') : '',
    expected: describeExpectation(proof),
  }
}

/** A clause as the log has it, where the contract itself cannot be had. */
function buildRecordedRow(clause: ClauseStatus, input: MatrixInput): MatrixClause {
  const { id, sentence, proof } = clause
  const run = input.evidence.find(record => record.clauseId === id)
  const told = { commandOrPaths: run?.command ?? '', expected: run?.expected ?? '' }
  return { ...collectOutcomes(id, clause, input), id, sentence, covers: [], proof, ...told }
}

type ClauseOutcomes = Pick<
  MatrixClause,
  'baseOutcome' | 'headOutcome' | 'verdict' | 'isVoid' | 'reason' | 'note' | 'evidence'
>

/** What was seen of a clause. Head evidence counts only where it was taken of the very tree that was judged. */
function collectOutcomes(
  id: string,
  known: ClauseStatus | undefined,
  { status, evidence, verdictRecord }: MatrixInput,
): ClauseOutcomes {
  const { verdict } = status
  const word = verdictRecord?.clauses.find(clause => clause.id === id)
  const own = evidence.filter(each => each.clauseId === id)
  const base = own
    .filter(({ side }) => side === 'base')
    .sort(compareTimes)
    .at(-1)
  const head = own
    .filter(({ side, tree }) => side === 'head' && tree === verdict?.tree)
    .sort(compareRounds)
    .at(-1)
  const cited = [base, head].flatMap(each => (each ? [{ id: each.id, outputSha256: each.outputSha256 }] : []))
  const byJudge = (word?.judgement?.evidence ?? []).filter(name => !cited.some(each => each.id === name))
  const others = byJudge.map(name => {
    const outputSha256 = evidence.find(
      each => each.id === name && (each.side === 'base' || each.tree === verdict?.tree),
    )?.outputSha256
    return { id: name, ...(outputSha256 === undefined ? {} : { outputSha256 }) }
  })
  const gate = word?.gate === 'none' ? undefined : word?.gate
  const seen = gate === 'broken' ? gate : (head?.outcome ?? gate ?? known?.headOutcome) // A broken pin undoes what a check shows.
  return {
    baseOutcome: base?.outcome ?? known?.baseOutcome ?? '',
    headOutcome: verdict ? (seen ?? '') : '',
    verdict: verdict ? (known?.verdict ?? word?.verdict ?? 'not judged yet') : 'not judged yet',
    isVoid: verdict?.voidReason !== undefined,
    reason: word?.reason ?? '',
    ...(word?.note === undefined ? {} : { note: word.note }),
    evidence: [...cited, ...others],
  }
}

/** Of a contract that was amended the newest base counts. */
function compareTimes(one: EvidenceRecord, other: EvidenceRecord): number {
  return Date.parse(one.time) - Date.parse(other.time)
}

function compareRounds(one: EvidenceRecord, other: EvidenceRecord): number {
  return one.round - other.round
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

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
