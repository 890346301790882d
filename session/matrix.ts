import { createHash } from 'node:crypto'
import type { ContractClause, ProofOf } from './contract.ts'
import { parseContract, sentencesOf } from './contract.ts'
import type { Finding } from './event.ts'
import type { EvidenceRecord } from './evidence.ts'
import type { Clause, Status } from './status.ts'
import type { VerdictRecord } from './verdict.ts'

/** What a matrix is made of, as it was read. */
export interface MatrixInput {
  session: string
  task: string
  /** The bytes of the contract: the sealed one, or the draft before the seal; undefined where there is none. */
  contract: string | undefined
  evidence: EvidenceRecord[]
  /** The written verdict that belongs to the status, if there is one. */
  record: VerdictRecord | undefined
  status: Status
  state: string
}

/** One piece of evidence by its id, with the hash of the output where a program gave one. */
interface Cited {
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
  shown: string
  /** What a check's run must show, in words. */
  expected: string
  before: string
  after: string
  verdict: Finding | 'not judged yet'
  /** The verdict on the whole does not hold any more, and so this one does not. */
  voided: boolean
  because: string
  /** What a reader should know of how it was shown; undefined where there is nothing. */
  remark?: string
  evidence: Cited[]
}

/** Sentence by sentence: what became of it. */
interface MatrixSentence {
  id: string
  text: string
  clauses: string[]
  /** Why it was left out of the contract; undefined for one that was not. */
  leftOut?: string
}

/** From the words of the task to the verdict on them, as plain values: what every form of the page is made of. */
export interface Matrix {
  format: 1
  session: string
  state: string
  verdict: {
    is: Finding | 'not judged yet'
    /** Why it does not hold any more; null for one that does. */
    voided: string | null
    reason: string
    round: number
    rounds: number
    final: boolean
    at: string | null
    independence: string
    judge: string
    sandbox: string
    commit: string | null
    tree: string | null
    packetSha256: string | null
    /** The same in words, also where there is none. */
    packet: string
  }
  contract: { is: 'sealed' | 'draft' | 'none'; sha256: string | null; version: number; dilutions: string[] }
  /** What of the record is not as it was recorded. */
  damage: string[]
  sentences: MatrixSentence[]
  clauses: MatrixClause[]
  /** Clauses that cover no sentence of the task. */
  free: string[]
  /** Sentences that no clause covers and that nobody has left out. */
  uncovered: string[]
}

/** Lay the task beside the contract, the evidence and the verdict. Pure. */
export function matrixOf(input: MatrixInput): Matrix {
  const { session, state, status, contract: text } = input
  const isBroken = status.contract !== undefined && (text === undefined || sha256(text) !== status.contract.sha256)
  const contract = text === undefined || isBroken ? undefined : parseContract(text, { judgedOnly: true }).contract
  const clauses = contract
    ? contract.clauses.map(clause => clauseRow(clause, input))
    : status.clauses.map(clause => recordedRow(clause, input))
  const sentences = sentencesOf(input.task).map((sentence, at) => {
    const id = `S${at + 1}`
    const leftOut = contract?.leftOut.find(left => left.sentence === id)?.why
    const covering = clauses.filter(({ covers }) => covers.includes(id)).map(clause => clause.id)
    return { id, text: sentence, clauses: covering, ...(leftOut === undefined ? {} : { leftOut }) }
  })
  const known = new Set(sentences.map(({ id }) => id))
  return {
    format: 1,
    session,
    state,
    verdict: verdictOf(input),
    contract: {
      is: status.contract ? 'sealed' : contract ? 'draft' : 'none',
      sha256: status.contract?.sha256 ?? null,
      version: status.contract?.version ?? 0,
      dilutions: status.contract?.dilutions ?? [],
    },
    damage: isBroken
      ? ['contract.md is not what was sealed. The clauses are those of the log, which does not know what they cover.']
      : [],
    sentences,
    clauses,
    free: clauses.filter(({ covers }) => !covers.some(id => known.has(id))).map(({ id }) => id),
    uncovered: sentences.filter(one => one.clauses.length === 0 && one.leftOut === undefined).map(({ id }) => id),
  }
}

/** The same with a verdict that does not hold any more; one that is void already stays as it is. Pure. */
export function voided(matrix: Matrix, why: string): Matrix {
  const { verdict, clauses, state } = matrix
  if (verdict.is === 'not judged yet' || verdict.voided !== null) return matrix
  return {
    ...matrix,
    state: state === verdict.is ? `${state} (void)` : state,
    verdict: { ...verdict, voided: why },
    clauses: clauses.map(clause => ({ ...clause, voided: true })),
  }
}

// --- internal ---

const untold = 'verdict.json does not tell'

function verdictOf({ status, record }: MatrixInput): Matrix['verdict'] {
  const { verdict, rounds, models } = status
  return {
    is: verdict?.verdict ?? 'not judged yet',
    voided: verdict?.voided ?? null,
    reason: verdict?.reason ?? '',
    round: verdict?.round ?? status.round,
    rounds,
    final: verdict?.final ?? false,
    at: verdict?.at ?? null,
    independence: verdict?.independence ?? 'not judged yet',
    judge: record?.judge ?? (verdict ? untold : `${models.judge}, not asked yet`),
    sandbox: record?.sandbox ?? (verdict ? untold : 'not judged yet'),
    commit: verdict?.commit ?? null,
    tree: verdict?.tree ?? null,
    packetSha256: record?.packetSha256 ?? null,
    packet: record ? (record.packetSha256 ?? 'none sent') : verdict ? untold : 'none sent yet',
  }
}

function clauseRow({ id, sentence, covers, proof }: ContractClause, input: MatrixInput): MatrixClause {
  const known = input.status.clauses.find(clause => clause.id === id)
  return {
    ...outcomesOf(id, known, input),
    id,
    sentence,
    covers,
    proof: proof.is === 'check' && proof.guard ? 'guard' : proof.is,
    shown: proof.is === 'check' ? proof.command : proof.is === 'scope' ? proof.globs.join(' ') : '',
    expected: expectedOf(proof),
  }
}

/** A clause as the log has it, where the contract itself cannot be had. */
function recordedRow(clause: Clause, input: MatrixInput): MatrixClause {
  const { id, sentence, proof } = clause
  const run = input.evidence.find(record => record.clause === id)
  const told = { shown: run?.command ?? '', expected: run?.expected ?? '' }
  return { ...outcomesOf(id, clause, input), id, sentence, covers: [], proof, ...told }
}

type Outcomes = Pick<MatrixClause, 'before' | 'after' | 'verdict' | 'voided' | 'because' | 'remark' | 'evidence'>

/** What was seen of a clause. Head evidence counts only where it was taken of the very tree that was judged. */
function outcomesOf(id: string, known: Clause | undefined, { status, evidence, record }: MatrixInput): Outcomes {
  const { verdict } = status
  const word = record?.clauses.find(clause => clause.id === id)
  const own = evidence.filter(each => each.clause === id)
  const base = own
    .filter(({ side }) => side === 'base')
    .sort(byTime)
    .at(-1)
  const head = own
    .filter(({ side, tree }) => side === 'head' && tree === verdict?.tree)
    .sort(byRound)
    .at(-1)
  const cited = [base, head].flatMap(each => (each ? [{ id: each.id, outputSha256: each.outputSha256 }] : []))
  const byJudge = (word?.judge?.evidence ?? []).filter(name => !cited.some(each => each.id === name))
  const others = byJudge.map(name => {
    const outputSha256 = evidence.find(
      each => each.id === name && (each.side === 'base' || each.tree === verdict?.tree),
    )?.outputSha256
    return { id: name, ...(outputSha256 === undefined ? {} : { outputSha256 }) }
  })
  const gate = word?.gate === 'none' ? undefined : word?.gate
  const seen = gate === 'broken' ? gate : (head?.outcome ?? gate ?? known?.head) // A broken pin undoes what a check shows.
  return {
    before: base?.outcome ?? known?.base ?? '',
    after: verdict ? (seen ?? '') : '',
    verdict: verdict ? (known?.verdict ?? word?.verdict ?? 'not judged yet') : 'not judged yet',
    voided: verdict?.voided !== undefined,
    because: word?.because ?? '',
    ...(word?.remark === undefined ? {} : { remark: word.remark }),
    evidence: [...cited, ...others],
  }
}

/** Of a contract that was amended the newest base counts. */
function byTime(one: EvidenceRecord, other: EvidenceRecord): number {
  return Date.parse(one.at) - Date.parse(other.at)
}

function byRound(one: EvidenceRecord, other: EvidenceRecord): number {
  return one.round - other.round
}

function expectedOf(proof: ProofOf): string {
  if (proof.is !== 'check') return ''
  const { exit, contains, matches, equals } = proof.expect
  return [
    `exit ${exit}`,
    ...contains.map(text => `output contains ${JSON.stringify(text)}`),
    ...matches.map(text => `output matches /${text}/`),
    ...(equals === undefined ? [] : [`output equals ${JSON.stringify(equals)}`]),
    ...(proof.pins === undefined ? [] : [`pinned: ${proof.pins.join(' ')}`]),
  ].join(', ')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
