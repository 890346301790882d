import {
  type ClauseProof,
  type Contract,
  type ContractClause,
  describeBrokenPins,
  describeChangedCheckFiles,
  listScopeGlobs,
  type WorkDiff,
} from '#session/contract'
import { type EvidenceRecord, readEvidence } from '#session/evidence'
import { type Commit, listChangedPaths, listCommitFiles } from '#session/repository'
import type { Gate } from '#validator'
import { getEvidence, recordCheck } from '../checks/check-cache.ts'
import type { RunnerContext } from '../context.ts'

const MAX_LISTED_FILES = 8

/** Run the gate of every clause: a check is run, a scope is compared by git, a judged clause has no gate. */
export async function runGates(
  context: RunnerContext,
  contract: Contract,
  { round, head }: { round: number; head: Commit },
): Promise<Gate[]> {
  const gates: Gate[] = []
  const baseEvidence = readEvidence(context.session.paths).filter(record => record.side === 'base')
  const work = await collectChanges(context, head)
  for (const clause of contract.clauses) {
    const { proof } = clause
    if (proof.kind === 'check')
      gates.push(await runCheckGate(context, clause, proof, { round, head, baseEvidence, work }))
    else if (proof.kind === 'scope') gates.push(await runScopeGate(context, contract, clause, head))
    else gates.push({ clause, gate: 'none', reason: 'only the judge can decide', evidence: [] })
  }
  return gates
}

// --- internal ---

/** The files before the work, and what the work changed. */
async function collectChanges({ session: { paths }, status }: RunnerContext, head: Commit): Promise<WorkDiff> {
  const base = status.base?.commit ?? head.commit
  const baseFiles = (await listCommitFiles(paths, base)).map(file => file.path)
  return { baseFiles, changes: await listChangedPaths(paths, base, head.commit) }
}

/** A check with a broken pin is run too, so that there is evidence, but its result does not count. */
async function runCheckGate(
  context: RunnerContext,
  clause: ContractClause,
  proof: Extract<ClauseProof, { kind: 'check' }>,
  { round, head, baseEvidence, work }: { round: number; head: Commit; baseEvidence: EvidenceRecord[]; work: WorkDiff },
): Promise<Gate> {
  const id = `round-${round}-${clause.id}`
  const record = await getEvidence(context, clause, proof, { id, side: 'head', round, commit: head })
  recordCheck(context, record)
  const base = context.status.clauses.find(known => known.id === clause.id)?.baseOutcome
  const gate = { clause, evidence: [record], ...(base === undefined ? {} : { base }) }
  const broken = describeBrokenPins(proof.pins ?? [], work)
  if (broken !== undefined)
    return { ...gate, gate: 'broken', reason: `${broken}; its check is ${record.outcome}, which does not count` }
  const remark = describeChangedCheckFiles(proof.command, work)
  const baseRecord = baseEvidence.findLast(known => known.clauseId === clause.id && known.command === proof.command)
  return {
    ...gate,
    gate: record.outcome,
    reason: explainOutcome(record, baseRecord),
    ...(remark === undefined ? {} : { remark }),
  }
}

/** The result, and for a red check whether it was the same before the work. */
function explainOutcome(
  { outcome, reason, expected, outputSha256 }: EvidenceRecord,
  base: EvidenceRecord | undefined,
): string {
  if (outcome === 'green') return `${expected}, as expected`
  if (outcome !== 'red' || base === undefined) return reason
  if (base.outcome === 'green') return `${reason}; it was green before the work`
  return base.outputSha256 === outputSha256 ? `${reason}, with the same output as before the work` : reason
}

/** The scopes of a contract add up: every changed file must match one of them. */
async function runScopeGate(
  { session, status }: RunnerContext,
  contract: Contract,
  clause: ContractClause,
  head: Commit,
): Promise<Gate> {
  const outside = await listChangedPaths(
    session.paths,
    status.base?.commit ?? head.commit,
    head.commit,
    listScopeGlobs(contract),
  )
  if (outside.length === 0) return { clause, gate: 'kept', reason: 'git shows no change outside it', evidence: [] }
  const files = outside.slice(0, MAX_LISTED_FILES).map(({ path: file, change }) => `${file} (${change})`)
  const more = outside.length > MAX_LISTED_FILES ? ` and ${outside.length - MAX_LISTED_FILES} more` : ''
  return { clause, gate: 'broken', reason: `changed outside it: ${files.join(', ')}${more}`, evidence: [] }
}
