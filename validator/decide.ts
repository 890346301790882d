import { unreachable } from '#host/error.ts'
import { formatCount, toOneLine } from '#host/text.ts'
import { type Contract, type ContractClause, getProofKind } from '#session/contract'
import type { ClauseVerdict, VerdictRecord } from '#session/evidence'
import type { Verdict } from '#session/log'
import { listFindings } from './findings.ts'
import { findGate, type Gate } from './packet/input.ts'
import type { JudgeReply, JudgeReplyResult } from './parse-reply.ts'

/** Everything that a verdict is decided from. */
interface VerdictInput {
  contract: Contract
  gates: Gate[]
  judged: JudgeReplyResult
  /** Sentences of the task that no clause covers. */
  uncovered: string[]
  /** Sentences of the task that the contract leaves out. */
  excluded: string[]
}

type Decision = Pick<VerdictRecord, 'verdict' | 'reason' | 'clauses' | 'findings'>

/**
 * Decide the verdict. A clause gets the worse of the gate's and the judge's verdict, and the whole gets the worst of its
 * clauses. So the judge can lower a verdict and never raise it. Without a judge the whole is INCONCLUSIVE, whatever the
 * gates show; their results stay visible clause by clause.
 */
export function decideVerdict({ contract, gates, judged, uncovered, excluded }: VerdictInput): Decision {
  const clauses = contract.clauses.map(clause => decideClause(clause, findGate(gates, clause), judged))
  // Without a judge, and without a clause, nothing is proved.
  const [first, ...others] = judged.ok ? clauses.map(clause => clause.verdict) : []
  const verdict = first === undefined ? 'INCONCLUSIVE' : others.reduce(pickWorse, first)
  return {
    verdict,
    reason:
      explainVerdict(verdict, clauses, judged) +
      formatMissing(uncovered, 'not covered') +
      formatMissing(excluded, 'left out'),
    clauses,
    findings: [
      ...clauses.flatMap(clause => listFindings(clause, findGate(gates, clause))),
      ...(judged.ok && verdict !== 'PASS' ? judged.reply.findings : []),
    ],
  }
}

// --- one clause ---

type ClauseAnswer = JudgeReply['clauses'][number]

const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function pickWorse(a: Verdict, b: Verdict): Verdict {
  return verdictOrder.indexOf(a) < verdictOrder.indexOf(b) ? a : b
}

function decideClause(clause: ContractClause, gate: Gate | undefined, judged: JudgeReplyResult): ClauseVerdict {
  const answer = judged.ok ? judged.reply.clauses.find(({ id }) => id === clause.id) : undefined
  const gateVerdict = readGateVerdict(clause, gate)
  return {
    id: clause.id,
    sentence: clause.sentence,
    proof: getProofKind(clause.proof),
    verdict: pickWorse(gateVerdict.verdict, answer ? judgeVerdicts[answer.met] : 'INCONCLUSIVE'),
    reason: [gateVerdict.reason, gate?.note, describeAnswer(gateVerdict.verdict, answer, judged)]
      .filter(Boolean)
      .join('; '),
    gate: gate?.gate ?? 'none',
    ...readHeadTests(gate),
    judgement: answer ? { met: answer.met, reason: answer.reason, evidence: answer.evidence } : null,
    ...(gate?.base === undefined ? {} : { baseOutcome: gate.base }),
    ...(gate?.note === undefined ? {} : { note: gate.note }),
  }
}

const judgeVerdicts = { yes: 'PASS', no: 'FAIL', unproven: 'INCONCLUSIVE' } as const

/**
 * What a gate allows at best, and why. A judged clause has no gate, so it allows PASS. A guard must be green. Any other check
 * must also have been red before the work, or have run no test.
 */
function readGateVerdict({ proof }: ContractClause, gate: Gate | undefined): { verdict: Verdict; reason: string } {
  const allow = (verdict: Verdict, reason: string) => ({ verdict, reason: gate?.reason || reason })
  switch (proof.kind) {
    case 'check':
      if (gate?.gate === 'broken') return allow('FAIL', 'a pinned file was changed')
      if (gate?.gate === 'red') return allow('FAIL', 'red')
      if (gate?.gate !== 'green') return allow('INCONCLUSIVE', 'the check could not run')
      if (proof.isGuard || gate.base === 'red' || gate.base === 'nothing ran') return allow('PASS', 'green')
      return { verdict: 'INCONCLUSIVE', reason: explainBase(gate.base) }
    case 'scope':
      if (gate?.gate === 'broken') return allow('FAIL', 'other files were changed')
      if (gate?.gate !== 'kept') return allow('INCONCLUSIVE', 'the scope was not checked')
      return allow('PASS', 'no other file was changed')
    case 'judged':
      return allow('PASS', '')
    default:
      return unreachable(proof)
  }
}

function readHeadTests(gate: Gate | undefined): Pick<ClauseVerdict, 'tests'> {
  const tests = gate?.evidence.findLast(({ side }) => side === 'head')?.tests
  return tests === undefined ? {} : { tests }
}

/** Why a check that is green now proves nothing. */
function explainBase(base: Gate['base']): string {
  if (base === undefined) return 'it was not run before the work'
  if (base === 'green') return 'green before the work too, so it proves nothing'
  return `${base} before the work, so it was never seen red`
}

function describeAnswer(gateVerdict: Verdict, answer: ClauseAnswer | undefined, judged: JudgeReplyResult): string {
  if (answer === undefined) return judged.ok ? 'the judge did not answer it' : 'no judge'
  const disagreement = gateVerdict === 'FAIL' && answer.met === 'yes' ? ', but the gate decides' : ''
  return `the judge says ${answer.met}${disagreement}: ${answer.reason}`
}

// --- the whole ---

function explainVerdict(verdict: Verdict, clauses: ClauseVerdict[], judged: JudgeReplyResult): string {
  const failed = clauses.filter(clause => clause.verdict === 'FAIL')
  const unproved = clauses.filter(clause => clause.verdict === 'INCONCLUSIVE')
  switch (verdict) {
    case 'PASS':
      return `${formatShare(clauses, clauses)} met: all checks pass and the judge agrees${formatNotes(clauses)}`
    case 'FAIL':
      return `${formatShare(failed, clauses)} not met: ${formatClauses(failed)}`
    case 'INCONCLUSIVE':
      if (clauses.length === 0) return 'the contract has no clause'
      return judged.ok
        ? `${formatShare(unproved, clauses)} not proved: ${formatClauses(unproved)}`
        : `no judge: ${judged.reason}; ${formatGates(clauses)}${failed.length > 0 ? `; not met: ${formatClauses(failed)}` : ''}`
    default:
      return unreachable(verdict)
  }
}

/** `1 of 3 clauses is`. */
function formatShare(some: ClauseVerdict[], all: ClauseVerdict[]): string {
  return `${some.length} of ${formatCount(all.length, 'clause')} ${some.length === 1 ? 'is' : 'are'}`
}

/** `C1 (exit 1, expected exit 0), C2, C3`. */
function formatClauses(clauses: ClauseVerdict[]): string {
  const [first, ...others] = clauses
  if (first === undefined) return 'none'
  return `${first.id} (${toOneLine(first.reason, 300)})${others.length > 0 ? `, ${others.map(({ id }) => id).join(', ')}` : ''}`
}

/** What a reader of a PASS should know. */
function formatNotes(clauses: ClauseVerdict[]): string {
  return clauses.flatMap(({ id, note }) => (note === undefined ? [] : [`; ${id} ${note}`])).join('')
}

function formatGates(clauses: ClauseVerdict[]): string {
  const gated = clauses.filter(clause => clause.proof !== 'judged')
  const green = gated.filter(clause => clause.gate === 'green' || clause.gate === 'kept')
  return `${green.length} of ${gated.length} gates are green`
}

/** `; 2 sentences of the task are not covered`. */
function formatMissing({ length }: string[], how: string): string {
  return length === 0 ? '' : `; ${formatCount(length, 'sentence')} of the task ${length === 1 ? 'is' : 'are'} ${how}`
}
