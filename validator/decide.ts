import { unreachable } from '#host/error.ts'
import { toOneLine } from '#host/text.ts'
import type { Contract, ContractClause } from '#session/contract'
import type { ClauseVerdict } from '#session/evidence'
import type { Verdict } from '#session/log'
import { listFindings } from './findings.ts'
import type { Gate } from './packet/input.ts'
import type { JudgeReply, JudgeReplyResult } from './reply.ts'

/** All that a verdict rests on. */
interface VerdictInput {
  contract: Contract
  gates: Gate[]
  judged: JudgeReplyResult
  /** Sentences of the task that no clause answers for. */
  uncovered: string[]
}

/** What our gates and the judge add up to. */
interface Decision {
  verdict: Verdict
  /** One plain sentence. */
  reason: string
  clauses: ClauseVerdict[]
  /** For whoever mends it: behaviour, one paragraph each. */
  findings: string[]
}

/**
 * Decide. A clause is as good as the worse of two words, our gate's and the judge's; the whole is as good as its worst
 * clause. So the judge can lower a verdict and never raise it. Without a judge there is no verdict on the whole: it is
 * INCONCLUSIVE whatever the gates show, and what they show stays visible clause by clause.
 */
export function decideVerdict({ contract, gates, judged, uncovered }: VerdictInput): Decision {
  const weighed = contract.clauses.map(clause => decideClause(clause, findGate(gates, clause), judged))
  const verdict = judged.ok ? pickWorst(weighed) : 'INCONCLUSIVE'
  return {
    verdict,
    reason: explainVerdict(verdict, weighed, judged) + formatUncovered(uncovered),
    clauses: weighed,
    findings: [
      ...contract.clauses.flatMap((clause, at) => listFindings(clause, weighed[at], findGate(gates, clause))),
      ...(judged.ok && verdict !== 'PASS' ? judged.reply.findings : []),
    ],
  }
}

// --- one clause ---

type ClauseAnswer = JudgeReply['clauses'][number]

const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function pickWorse(one: Verdict, other: Verdict): Verdict {
  return verdictOrder.indexOf(one) < verdictOrder.indexOf(other) ? one : other
}

function findGate(gates: Gate[], clause: ContractClause): Gate | undefined {
  return gates.find(gate => gate.clause.id === clause.id)
}

function decideClause(clause: ContractClause, gate: Gate | undefined, judged: JudgeReplyResult): ClauseVerdict {
  const word = judged.ok ? judged.reply.clauses.find(({ id }) => id === clause.id) : undefined
  const { finding, reason } = readGateVerdict(clause, gate)
  return {
    id: clause.id,
    sentence: clause.sentence,
    proof: clause.proof.kind === 'check' && clause.proof.isGuard ? 'guard' : clause.proof.kind,
    verdict: pickWorse(finding, readJudgeVerdict(word)),
    reason: [reason, gate?.remark, describeJudgeVerdict(finding, word, judged)].filter(Boolean).join('; '),
    gate: gate?.gate ?? 'none',
    judgement: word ? { met: word.met, reason: word.reason, evidence: word.evidence } : null,
    ...(gate?.base === undefined ? {} : { baseOutcome: gate.base }),
    ...(gate?.remark === undefined ? {} : { note: gate.remark }),
  }
}

/** The best that our gate allows. Where it has no say (a judged clause), that is PASS. */
function readGateVerdict({ proof }: ContractClause, gate: Gate | undefined): { finding: Verdict; reason: string } {
  const reason = gate?.reason ?? ''
  switch (proof.kind) {
    case 'check':
      return readCheckVerdict(gate, proof.isGuard)
    case 'scope':
      if (gate?.gate === 'broken') return { finding: 'FAIL', reason: reason || 'something else was touched' }
      if (gate?.gate !== 'kept') return { finding: 'INCONCLUSIVE', reason: reason || 'the scope was not compared' }
      return { finding: 'PASS', reason: reason || 'nothing else was touched' }
    case 'judged':
      return { finding: 'PASS', reason }
    default:
      return unreachable(proof)
  }
}

/** A check counts only as what it was seen to become: a guard is green, all else was red before the work. */
function readCheckVerdict(gate: Gate | undefined, isGuard: boolean): { finding: Verdict; reason: string } {
  const because = gate?.reason ?? ''
  if (gate?.gate === 'broken') return { finding: 'FAIL', reason: because || 'what it pins was changed' }
  if (gate?.gate === 'red') return { finding: 'FAIL', reason: because || 'red' }
  if (gate?.gate !== 'green') return { finding: 'INCONCLUSIVE', reason: because || 'the check could not run' }
  if (isGuard || gate.base === 'red') return { finding: 'PASS', reason: because || 'green' }
  if (gate.base === undefined) return { finding: 'INCONCLUSIVE', reason: 'nobody saw it before the work' }
  if (gate.base === 'green')
    return { finding: 'INCONCLUSIVE', reason: 'green before the work too, so it shows nothing' }
  return { finding: 'INCONCLUSIVE', reason: `${gate.base} before the work, so nobody saw it red` }
}

function readJudgeVerdict(word: ClauseAnswer | undefined): Verdict {
  if (word === undefined) return 'INCONCLUSIVE'
  switch (word.met) {
    case 'yes':
      return 'PASS'
    case 'no':
      return 'FAIL'
    case 'unproven':
      return 'INCONCLUSIVE'
    default:
      return unreachable(word.met)
  }
}

function describeJudgeVerdict(finding: Verdict, word: ClauseAnswer | undefined, judged: JudgeReplyResult): string {
  if (word === undefined) return judged.ok ? 'the judge says nothing of it' : 'no judge'
  const against = finding === 'FAIL' && word.met === 'yes' ? ' against our gate, which stands' : ''
  return `the judge says ${word.met}${against}: ${word.reason}`
}

// --- the whole ---

/** A contract without a clause proves nothing. */
function pickWorst(clauses: ClauseVerdict[]): Verdict {
  return clauses.length === 0 ? 'INCONCLUSIVE' : clauses.map(({ verdict }) => verdict).reduce(pickWorse)
}

function explainVerdict(verdict: Verdict, clauses: ClauseVerdict[], judged: JudgeReplyResult): string {
  const failing = clauses.filter(clause => clause.verdict === 'FAIL')
  const open = clauses.filter(clause => clause.verdict === 'INCONCLUSIVE')
  switch (verdict) {
    case 'PASS':
      return `${formatShare(clauses, clauses)} met: our gates hold and the judge agrees${formatRemarks(clauses)}`
    case 'FAIL':
      return `${formatShare(failing, clauses)} not met: ${formatClauseIds(failing)}`
    case 'INCONCLUSIVE':
      if (clauses.length === 0) return 'the contract has no clause'
      return judged.ok
        ? `${formatShare(open, clauses)} not proved: ${formatClauseIds(open)}`
        : `no judge: ${judged.reason}; ${formatGates(clauses)}${failing.length > 0 ? `; not met: ${formatClauseIds(failing)}` : ''}`
    default:
      return unreachable(verdict)
  }
}

function formatShare(some: ClauseVerdict[], all: ClauseVerdict[]): string {
  return `${some.length} of ${all.length} ${all.length === 1 ? 'clause' : 'clauses'} ${some.length === 1 ? 'is' : 'are'}`
}

function formatClauseIds(clauses: ClauseVerdict[]): string {
  const [first, ...others] = clauses
  if (first === undefined) return 'none'
  return `${first.id} (${toOneLine(first.reason, 300)})${others.length > 0 ? `, ${others.map(({ id }) => id).join(', ')}` : ''}`
}

/** What a PASS does not hide. */
function formatRemarks(clauses: ClauseVerdict[]): string {
  return clauses.flatMap(({ id, note }) => (note === undefined ? [] : [`; ${id} ${note}`])).join('')
}

function formatGates(clauses: ClauseVerdict[]): string {
  const gated = clauses.filter(clause => clause.proof !== 'judged')
  const green = gated.filter(clause => clause.gate === 'green' || clause.gate === 'kept')
  return `${green.length} of ${gated.length} gates are green`
}

function formatUncovered(uncovered: string[]): string {
  if (uncovered.length === 0) return ''
  const [sentences, are] = uncovered.length === 1 ? ['sentence', 'is'] : ['sentences', 'are']
  return `; ${uncovered.length} ${sentences} of the task ${are} not covered`
}
