import { toOneLine } from '#host/text.ts'
import {
  type Contract,
  describeBrokenPins,
  describeChangedCheckFiles,
  listChangesOutsideScopes,
  type WorkDiff,
} from '#session/contract'
import { describeTestChanges, type EvidenceRecord, formatTestCounts } from '#session/evidence'
import { type Commit, listChangedPaths, listCommitFiles } from '#session/repository'
import type { Gate } from '#validator'
import { getEvidence, recordCheck } from '../checks/check-cache.ts'
import { type CheckClause, isCheckClause } from '../checks/run-check.ts'
import type { RunnerContext } from '../context.ts'
import { readBaseEvidence } from '../contract/base-checks.ts'

const MAX_LISTED_FILES = 8

/** What the gates are run for: the name begins the ids of their evidence, such as `round-2`. */
export interface GateRun {
  name: string
  round: number
  head: Commit
  /** What the checks showed before the work. */
  baseEvidence: EvidenceRecord[]
  /** The outcome of a clause's check before the work; undefined if it did not run. */
  getBaseOutcome(clauseId: string): EvidenceRecord['outcome'] | undefined
  record(evidence: EvidenceRecord): void
}

/** Run the gates of a round, and record each check in the log. */
export function runRoundGates(
  context: RunnerContext,
  contract: Contract,
  round: number,
  head: Commit,
): Promise<Gate[]> {
  const baseEvidence = readBaseEvidence(context, contract)
  const record = (evidence: EvidenceRecord) => recordCheck(context, evidence)
  const getBaseOutcome = (clauseId: string) => context.status.clauses.find(({ id }) => id === clauseId)?.baseOutcome
  return runGates(context, contract, { name: `round-${round}`, round, head, baseEvidence, getBaseOutcome, record })
}

/** Run the gate of every clause: a check is run, a scope is compared by git, a judged clause has no gate. */
export async function runGates(
  context: RunnerContext,
  contract: Contract,
  { name, round, head, baseEvidence, getBaseOutcome, record: recordEvidence }: GateRun,
): Promise<Gate[]> {
  const { paths } = context.session
  const base = context.status.base?.commit ?? head.commit
  const baseFiles = (await listCommitFiles(paths, base)).map(file => file.path)
  const work = { baseFiles, changes: await listChangedPaths(paths, base, head.commit) }
  const gates: Gate[] = []
  for (const clause of contract.clauses) {
    const evidence = baseEvidence.filter(record => record.clauseId === clause.id)
    if (isCheckClause(clause)) {
      const id = `${name}-${clause.id}`
      const record = await getEvidence(context, clause, { id, side: 'head', round, commit: head })
      recordEvidence(record)
      const baseOutcome = getBaseOutcome(clause.id)
      gates.push({
        clause,
        ...classifyCheck(clause, record, evidence, work),
        ...(baseOutcome && { base: baseOutcome }),
        evidence: [...evidence, record],
      })
    } else if (clause.proof.kind === 'scope') {
      gates.push({ clause, ...classifyScope(listChangesOutsideScopes(contract, work)), evidence })
    } else gates.push({ clause, gate: 'none', reason: 'only the judge can decide', evidence })
  }
  return gates
}

// --- internal ---

type GateResult = Pick<Gate, 'gate' | 'reason' | 'note'>

/** A check with a broken pin is run too, so that there is evidence, but its result does not count. */
function classifyCheck(
  { proof }: CheckClause,
  record: EvidenceRecord,
  baseEvidence: EvidenceRecord[],
  work: WorkDiff,
): GateResult {
  const broken = describeBrokenPins(proof.pins ?? [], work)
  if (broken !== undefined)
    return { gate: 'broken', reason: `${broken}; its check is ${record.outcome}, which does not count` }
  const base = baseEvidence.findLast(({ command }) => command === proof.command)
  const notes = [
    describeChangedCheckFiles(listCommands(proof.command, record), work),
    describeSkips(record) ?? describeTestChanges(base?.tests, record.tests),
  ]
  const note = notes.filter(Boolean).join(', and ')
  return { gate: record.outcome, reason: explainOutcome(record, base), ...(note && { note }) }
}

/** The command of a check and those of its services: if the work changed a script of one of them, a reader should know. */
function listCommands(command: string, { services }: EvidenceRecord): string {
  return [command, ...services.flatMap(service => [service.command, service.ready])].join('\n')
}

/** A check that is green although it skipped every test, which only "- allow-skips" makes possible. */
function describeSkips({ outcome, tests }: EvidenceRecord): string | undefined {
  if (outcome !== 'green' || typeof tests !== 'object' || tests.ran > 0) return undefined
  return 'skipped all of its tests, as the contract allows'
}

/** The result, and for a red check whether it was the same before the work. */
function explainOutcome(
  { outcome, reason, expected, tests, outputSha256 }: EvidenceRecord,
  base: EvidenceRecord | undefined,
): string {
  if (outcome === 'green') {
    const counts = typeof tests === 'object' ? `; ${formatTestCounts(tests)}` : ''
    return `${expected}, as expected${counts}`
  }
  if (outcome !== 'red' || base === undefined) return reason
  if (base.outcome === 'green') return `${reason}; it was green before the work`
  return base.outputSha256 === outputSha256 ? `${reason}, with the same output as before the work` : reason
}

function classifyScope(outside: WorkDiff['changes']): GateResult {
  if (outside.length === 0) return { gate: 'kept', reason: 'git shows no change outside it' }
  const files = outside
    .slice(0, MAX_LISTED_FILES)
    .map(({ path: file, change }) => `${toOneLine(file, 200)} (${change})`)
  const more = outside.length > MAX_LISTED_FILES ? ` and ${outside.length - MAX_LISTED_FILES} more` : ''
  return { gate: 'broken', reason: `changed outside it: ${files.join(', ')}${more}` }
}
