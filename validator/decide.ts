import { unreachable } from '#host/error.ts'
import { toOneLine } from '#host/text.ts'
import { type Contract, type ContractClause, getProofKind } from '#session/contract'
import type { ClauseVerdict } from '#session/evidence'
import type { Verdict } from '#session/log'
import { listFindings } from './findings.ts'
import type { Gate } from './packet/input.ts'
import type { JudgeReply, JudgeReplyResult } from './reply.ts'

/** Everything that a verdict is decided from. */
interface VerdictInput {
  contract: Contract
  gates: Gate[]
  judged: JudgeReplyResult
  /** Sentences of the task that no clause covers. */
  uncovered: string[]
}

interface Decision {
  verdict: Verdict
  /** One plain sentence. */
  reason: string
  clauses: ClauseVerdict[]
  /** What to fix, as behaviour, one paragraph each. */
  findings: string[]
}

/**
 * Decide the verdict. A clause gets the worse of the gate's and the judge's verdict, and the whole gets the worst of its
 * clauses. So the judge can lower a verdict and never raise it. Without a judge the whole is INCONCLUSIVE, whatever the
 * gates show; their results stay visible clause by clause.
 */
export function decideVerdict({ contract, gates, judged, uncovered }: VerdictInput): Decision {
  const clauses = contract.clauses.map(clause => decideClause(clause, findGate(gates, clause), judged))
  const verdict = judged.ok ? pickWorst(clauses) : 'INCONCLUSIVE'
  return {
    verdict,
    reason: explainVerdict(verdict, clauses, judged) + formatUncovered(uncovered),
    clauses,
    findings: [
      ...contract.clauses.flatMap((clause, index) => listFindings(clause, clauses[index], findGate(gates, clause))),
      ...(judged.ok && verdict !== 'PASS' ? judged.reply.findings : []),
    ],
  }
}

// --- one clause ---

type ClauseAnswer = JudgeReply['clauses'][number]

/** What a gate allows at best, and why. */
interface GateVerdict {
  verdict: Verdict
  reason: string
}

const verdictOrder: Verdict[] = ['FAIL', 'INCONCLUSIVE', 'PASS']

function pickWorse(a: Verdict, b: Verdict): Verdict {
  return verdictOrder.indexOf(a) < verdictOrder.indexOf(b) ? a : b
}

function findGate(gates: Gate[], clause: ContractClause): Gate | undefined {
  return gates.find(gate => gate.clause.id === clause.id)
}

function decideClause(clause: ContractClause, gate: Gate | undefined, judged: JudgeReplyResult): ClauseVerdict {
  const answer = judged.ok ? judged.reply.clauses.find(({ id }) => id === clause.id) : undefined
  const gateVerdict = readGateVerdict(clause, gate)
  return {
    id: clause.id,
    sentence: clause.sentence,
    proof: getProofKind(clause.proof),
    verdict: pickWorse(gateVerdict.verdict, readJudgeVerdict(answer)),
    reason: [gateVerdict.reason, gate?.remark, describeAnswer(gateVerdict.verdict, answer, judged)]
      .filter(Boolean)
      .join('; '),
    gate: gate?.gate ?? 'none',
    judgement: answer ? { met: answer.met, reason: answer.reason, evidence: answer.evidence } : null,
    ...(gate?.base === undefined ? {} : { baseOutcome: gate.base }),
    ...(gate?.remark === undefined ? {} : { note: gate.remark }),
  }
}

/** A judged clause has no gate, so its gate allows PASS. */
function readGateVerdict({ proof }: ContractClause, gate: Gate | undefined): GateVerdict {
  const reason = gate?.reason ?? ''
  switch (proof.kind) {
    case 'check':
      return readCheckVerdict(gate, proof.isGuard)
    case 'scope':
      if (gate?.gate === 'broken') return { verdict: 'FAIL', reason: reason || 'other files were changed' }
      if (gate?.gate !== 'kept') return { verdict: 'INCONCLUSIVE', reason: reason || 'the scope was not checked' }
      return { verdict: 'PASS', reason: reason || 'no other file was changed' }
    case 'judged':
      return { verdict: 'PASS', reason }
    default:
      return unreachable(proof)
  }
}

/** A guard must be green. Any other check must also have been red before the work. */
function readCheckVerdict(gate: Gate | undefined, isGuard: boolean): GateVerdict {
  const reason = gate?.reason ?? ''
  if (gate?.gate === 'broken') return { verdict: 'FAIL', reason: reason || 'a pinned file was changed' }
  if (gate?.gate === 'red') return { verdict: 'FAIL', reason: reason || 'red' }
  if (gate?.gate !== 'green') return { verdict: 'INCONCLUSIVE', reason: reason || 'the check could not run' }
  if (isGuard || gate.base === 'red') return { verdict: 'PASS', reason: reason || 'green' }
  if (gate.base === undefined) return { verdict: 'INCONCLUSIVE', reason: 'it was not run before the work' }
  if (gate.base === 'green')
    return { verdict: 'INCONCLUSIVE', reason: 'green before the work too, so it proves nothing' }
  return { verdict: 'INCONCLUSIVE', reason: `${gate.base} before the work, so it was never seen red` }
}

function readJudgeVerdict(answer: ClauseAnswer | undefined): Verdict {
  if (answer === undefined) return 'INCONCLUSIVE'
  switch (answer.met) {
    case 'yes':
      return 'PASS'
    case 'no':
      return 'FAIL'
    case 'unproven':
      return 'INCONCLUSIVE'
    default:
      return unreachable(answer.met)
  }
}

function describeAnswer(gateVerdict: Verdict, answer: ClauseAnswer | undefined, judged: JudgeReplyResult): string {
  if (answer === undefined) return judged.ok ? 'the judge did not answer it' : 'no judge'
  const disagreement = gateVerdict === 'FAIL' && answer.met === 'yes' ? ', but the gate decides' : ''
  return `the judge says ${answer.met}${disagreement}: ${answer.reason}`
}

// --- the whole ---

/** A contract without a clause proves nothing. */
function pickWorst(clauses: ClauseVerdict[]): Verdict {
  return clauses.length === 0 ? 'INCONCLUSIVE' : clauses.map(({ verdict }) => verdict).reduce(pickWorse)
}

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
  return `${some.length} of ${all.length} ${all.length === 1 ? 'clause' : 'clauses'} ${some.length === 1 ? 'is' : 'are'}`
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

function formatUncovered(uncovered: string[]): string {
  if (uncovered.length === 0) return ''
  const [sentences, are] = uncovered.length === 1 ? ['sentence', 'is'] : ['sentences', 'are']
  return `; ${uncovered.length} ${sentences} of the task ${are} not covered`
}
