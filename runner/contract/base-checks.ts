import type { ClauseProof, Contract, ContractClause, ContractProblem } from '#session/contract'
import type { EvidenceRecord } from '#session/evidence'
import { readLog } from '#session/log'
import type { Commit } from '#session/repository'
import { getEvidence, recordCheck } from '../checks/check-cache.ts'
import type { RunnerContext } from '../context.ts'
/** What a check shows on the base, for this version of the contract. */
export function runCheckOnBase(
  context: RunnerContext,
  clause: ContractClause,
  check: Extract<ClauseProof, { kind: 'check' }>,
  version: number,
): Promise<EvidenceRecord> {
  const id = formatBaseEvidenceId(version, clause.id)
  return getEvidence(context, clause, check, { id, side: 'base', round: 0, commit: getBaseCommit(context) })
}

/**
 * See that the log holds what every check of the contract shows on the base: a runner that died right after a seal left that to
 * its successor. What the check shows now is what it showed then, or the clause is not proved.
 */
export async function completeBaseEvidence(context: RunnerContext, contract: Contract): Promise<void> {
  const version = context.status.contract?.version ?? 1
  const { events } = readLog(context.session.paths.events)
  const recorded = new Set(
    events.flatMap(event => (event.type === 'check.ran' && event.outcome !== 'could not run' ? [event.recordId] : [])),
  )
  for (const clause of contract.clauses) {
    if (clause.proof.kind !== 'check' || recorded.has(formatBaseEvidenceId(version, clause.id))) continue
    recordCheck(context, await runCheckOnBase(context, clause, clause.proof, version))
  }
}

/** The commit from which the work begins. */
export function getBaseCommit({ status }: RunnerContext): Commit {
  if (!status.base) throw new Error('the base is not prepared')
  return status.base
}

/** A check that proves nothing is refused before any work is paid for. Pure. */
export function findVacuousCheck(
  line: number,
  id: string,
  { isGuard }: { isGuard: boolean },
  { outcome, reason, command }: Pick<EvidenceRecord, 'outcome' | 'reason' | 'command'>,
): ContractProblem[] {
  if (outcome === 'could not run')
    return [
      {
        line,
        message: `the check of ${id} could not run on this machine: ${reason} (\`${command}\`)`,
        remedy: 'Use a command that is here, or set "- limit:" if it needs longer.',
      },
    ]
  if (outcome === 'flaky')
    return [
      {
        line,
        message: `the check of ${id} is flaky on the tree as it is: ${reason} (\`${command}\`), so it proves nothing`,
        remedy: 'Make it show the same on the same tree each time it is run: no clock, no chance, no network.',
      },
    ]
  if (outcome === 'green' && !isGuard)
    return [
      {
        line,
        message: `the check of ${id} is green already, before any work (\`${command}\`), so it proves nothing`,
        remedy: 'Make it fail on the tree as it is, or add the line "- guard" if it must merely stay true.',
      },
    ]
  if (outcome === 'red' && isGuard)
    return [
      {
        line,
        message: `the guard ${id} is red before any work: ${reason} (\`${command}\`)`,
        remedy: 'A guard is true before and after. Remove "- guard", or mend the command.',
      },
    ]
  return []
}

function formatBaseEvidenceId(version: number, clause: string): string {
  return version === 1 ? `base-${clause}` : `base-v${version}-${clause}`
}
