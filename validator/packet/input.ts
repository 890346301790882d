import type { Contract, ContractClause } from '#session/contract'
import type { EvidenceRecord } from '#session/evidence'
import type { Outcome } from '#session/log'
import type { SourceFile } from './leak-scan.ts'

/** What dispatch found for one clause by running its check or asking git, and the records of it. */
export interface Gate {
  clause: ContractClause
  gate: Outcome | 'kept' | 'broken' | 'none'
  /** Why, such as `exit 1, expected 0`. */
  reason: string
  base?: Outcome
  /** What a reader should know about this result, such as that the work itself changed a file of the check. */
  note?: string
  evidence: EvidenceRecord[]
}

export function findGate(gates: Gate[], { id }: { id: string }): Gate | undefined {
  return gates.find(({ clause }) => clause.id === id)
}

/** Everything that a packet is built from. */
export interface PacketInput {
  contract: Contract
  gates: Gate[]
  reports: { worker: string; clauses: string[]; ending: string; report: string }[]
  listing: { path: string; sizeBytes: number; change: 'added' | 'changed' | 'removed' | 'kept' }[]
  /** For the leak scan only: never sent. */
  sources: Iterable<SourceFile>
  /** Exact values of secrets, for the scan only. Values that look like a secret are found without them. */
  knownSecrets?: readonly string[]
  round: number
}
