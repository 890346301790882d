import {
  type Commit,
  type Contract,
  type ContractClause,
  type EvidenceRecord,
  type Problem,
  type ProofOf,
  readLog,
} from '../session/index.ts'
import { evidenceFor, recordCheck } from './evidence.ts'
import type { Running } from './running.ts'

/** What a check shows on the base, for this version of the contract. */
export function onBase(
  running: Running,
  clause: ContractClause,
  check: Extract<ProofOf, { is: 'check' }>,
  version: number,
): Promise<EvidenceRecord> {
  const id = baseRecord(version, clause.id)
  return evidenceFor(running, clause, check, { id, side: 'base', round: 0, at: baseOf(running) })
}

/**
 * See that the log holds what every check of the contract shows on the base: a runner that died right after a seal left that to
 * its successor. What the check shows now is what it showed then, or the clause is not proved.
 */
export async function completeBase(running: Running, contract: Contract): Promise<void> {
  const version = running.status.contract?.version ?? 1
  const { events } = readLog(running.session.paths.events)
  const recorded = new Set(
    events.flatMap(event => (event.is === 'check.ran' && event.outcome !== 'could not run' ? [event.record] : [])),
  )
  for (const clause of contract.clauses) {
    if (clause.proof.is !== 'check' || recorded.has(baseRecord(version, clause.id))) continue
    recordCheck(running, await onBase(running, clause, clause.proof, version))
  }
}

/** The commit from which the work begins. */
export function baseOf({ status }: Running): Commit {
  if (!status.base) throw new Error('the base is not prepared')
  return status.base
}

/** A check that proves nothing is refused before any work is paid for. Pure. */
export function vacuity(
  line: number,
  id: string,
  { guard }: { guard: boolean },
  { outcome, why, command }: Pick<EvidenceRecord, 'outcome' | 'why' | 'command'>,
): Problem[] {
  if (outcome === 'could not run')
    return [
      {
        line,
        what: `the check of ${id} could not run on this machine: ${why} (\`${command}\`)`,
        remedy: 'Use a command that is here, or set "- limit:" if it needs longer.',
      },
    ]
  if (outcome === 'flaky')
    return [
      {
        line,
        what: `the check of ${id} is flaky on the tree as it is: ${why} (\`${command}\`), so it proves nothing`,
        remedy: 'Make it show the same on the same tree each time it is run: no clock, no chance, no network.',
      },
    ]
  if (outcome === 'green' && !guard)
    return [
      {
        line,
        what: `the check of ${id} is green already, before any work (\`${command}\`), so it proves nothing`,
        remedy: 'Make it fail on the tree as it is, or add the line "- guard" if it must merely stay true.',
      },
    ]
  if (outcome === 'red' && guard)
    return [
      {
        line,
        what: `the guard ${id} is red before any work: ${why} (\`${command}\`)`,
        remedy: 'A guard is true before and after. Remove "- guard", or mend the command.',
      },
    ]
  return []
}

function baseRecord(version: number, clause: string): string {
  return version === 1 ? `base-${clause}` : `base-v${version}-${clause}`
}
