import { oneLine, unreachable } from '../host/index.ts'
import type { ClauseVerdict, Contract, ContractClause, Finding } from '../session/index.ts'
import { findingsOf } from './finding.ts'
import type { Gate } from './packet.ts'
import type { Judged, Reply } from './reply.ts'

/** All that a verdict rests on. */
interface Case {
  contract: Contract
  gates: Gate[]
  judged: Judged
  /** Sentences of the task that no clause answers for. */
  uncovered: string[]
}

/** What our gates and the judge add up to. */
interface Decision {
  verdict: Finding
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
export function decide({ contract, gates, judged, uncovered }: Case): Decision {
  const weighed = contract.clauses.map(clause => weigh(clause, gateOf(gates, clause), judged))
  const verdict = judged.ok ? worst(weighed) : 'INCONCLUSIVE'
  return {
    verdict,
    reason: reasonFor(verdict, weighed, judged) + leftOpen(uncovered),
    clauses: weighed,
    findings: [
      ...contract.clauses.flatMap((clause, at) => findingsOf(clause, weighed[at], gateOf(gates, clause))),
      ...(judged.ok && verdict !== 'PASS' ? judged.reply.findings : []),
    ],
  }
}

// --- one clause ---

type Word = Reply['clauses'][number]

const order: Finding[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function lower(one: Finding, other: Finding): Finding {
  return order.indexOf(one) < order.indexOf(other) ? one : other
}

function gateOf(gates: Gate[], clause: ContractClause): Gate | undefined {
  return gates.find(gate => gate.clause.id === clause.id)
}

function weigh(clause: ContractClause, gate: Gate | undefined, judged: Judged): ClauseVerdict {
  const word = judged.ok ? judged.reply.clauses.find(({ id }) => id === clause.id) : undefined
  const { finding, because } = gateSays(clause, gate)
  return {
    id: clause.id,
    sentence: clause.sentence,
    proof: clause.proof.is === 'check' && clause.proof.guard ? 'guard' : clause.proof.is,
    verdict: lower(finding, judgeSays(word)),
    because: [because, gate?.remark, judgeInWords(finding, word, judged)].filter(Boolean).join('; '),
    gate: gate?.gate ?? 'none',
    judge: word ? { met: word.met, why: word.why, evidence: word.evidence } : null,
    ...(gate?.base === undefined ? {} : { base: gate.base }),
    ...(gate?.remark === undefined ? {} : { remark: gate.remark }),
  }
}

/** The best that our gate allows. Where it has no say (a judged clause), that is PASS. */
function gateSays({ proof }: ContractClause, gate: Gate | undefined): { finding: Finding; because: string } {
  const because = gate?.because ?? ''
  switch (proof.is) {
    case 'check':
      return checkSays(gate, proof.guard)
    case 'scope':
      if (gate?.gate === 'broken') return { finding: 'FAIL', because: because || 'something else was touched' }
      if (gate?.gate !== 'kept') return { finding: 'INCONCLUSIVE', because: because || 'the scope was not compared' }
      return { finding: 'PASS', because: because || 'nothing else was touched' }
    case 'judged':
      return { finding: 'PASS', because }
    default:
      return unreachable(proof)
  }
}

/** A check counts only as what it was seen to become: a guard is green, all else was red before the work. */
function checkSays(gate: Gate | undefined, isGuard: boolean): { finding: Finding; because: string } {
  const because = gate?.because ?? ''
  if (gate?.gate === 'broken') return { finding: 'FAIL', because: because || 'what it pins was changed' }
  if (gate?.gate === 'red') return { finding: 'FAIL', because: because || 'red' }
  if (gate?.gate !== 'green') return { finding: 'INCONCLUSIVE', because: because || 'the check could not run' }
  if (isGuard || gate.base === 'red') return { finding: 'PASS', because: because || 'green' }
  if (gate.base === undefined) return { finding: 'INCONCLUSIVE', because: 'nobody saw it before the work' }
  if (gate.base === 'green')
    return { finding: 'INCONCLUSIVE', because: 'green before the work too, so it shows nothing' }
  return { finding: 'INCONCLUSIVE', because: `${gate.base} before the work, so nobody saw it red` }
}

function judgeSays(word: Word | undefined): Finding {
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

function judgeInWords(finding: Finding, word: Word | undefined, judged: Judged): string {
  if (word === undefined) return judged.ok ? 'the judge says nothing of it' : 'no judge'
  const against = finding === 'FAIL' && word.met === 'yes' ? ' against our gate, which stands' : ''
  return `the judge says ${word.met}${against}: ${word.why}`
}

// --- the whole ---

/** A contract without a clause proves nothing. */
function worst(clauses: ClauseVerdict[]): Finding {
  return clauses.length === 0 ? 'INCONCLUSIVE' : clauses.map(({ verdict }) => verdict).reduce(lower)
}

function reasonFor(verdict: Finding, clauses: ClauseVerdict[], judged: Judged): string {
  const failing = clauses.filter(clause => clause.verdict === 'FAIL')
  const open = clauses.filter(clause => clause.verdict === 'INCONCLUSIVE')
  switch (verdict) {
    case 'PASS':
      return `${share(clauses, clauses)} met: our gates hold and the judge agrees${remarked(clauses)}`
    case 'FAIL':
      return `${share(failing, clauses)} not met: ${named(failing)}`
    case 'INCONCLUSIVE':
      if (clauses.length === 0) return 'the contract has no clause'
      return judged.ok
        ? `${share(open, clauses)} not proved: ${named(open)}`
        : `no judge: ${judged.why}; ${gatesOf(clauses)}${failing.length > 0 ? `; not met: ${named(failing)}` : ''}`
    default:
      return unreachable(verdict)
  }
}

function share(some: ClauseVerdict[], all: ClauseVerdict[]): string {
  return `${some.length} of ${all.length} ${all.length === 1 ? 'clause' : 'clauses'} ${some.length === 1 ? 'is' : 'are'}`
}

function named(clauses: ClauseVerdict[]): string {
  const [first, ...others] = clauses
  if (first === undefined) return 'none'
  return `${first.id} (${oneLine(first.because, 300)})${others.length > 0 ? `, ${others.map(({ id }) => id).join(', ')}` : ''}`
}

/** What a PASS does not hide. */
function remarked(clauses: ClauseVerdict[]): string {
  return clauses.flatMap(({ id, remark }) => (remark === undefined ? [] : [`; ${id} ${remark}`])).join('')
}

function gatesOf(clauses: ClauseVerdict[]): string {
  const gated = clauses.filter(clause => clause.proof !== 'judged')
  const green = gated.filter(clause => clause.gate === 'green' || clause.gate === 'kept')
  return `${green.length} of ${gated.length} gates are green`
}

function leftOpen(uncovered: string[]): string {
  if (uncovered.length === 0) return ''
  const [sentences, are] = uncovered.length === 1 ? ['sentence', 'is'] : ['sentences', 'are']
  return `; ${uncovered.length} ${sentences} of the task ${are} not covered`
}
