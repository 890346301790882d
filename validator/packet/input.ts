import type { Contract, ContractClause } from '#session/contract'
import type { EvidenceRecord } from '#session/evidence'
import type { Outcome } from '#session/log'
import type { SourceFile } from './leak-scan.ts'

/** What our own runner or git says of one clause, and the records that it rests on. */
export interface Gate {
  clause: ContractClause
  gate: Outcome | 'kept' | 'broken' | 'none'
  /** Why, in words: `exit 1, expected 0`. */
  reason: string
  base?: Outcome
  /** What is to be said of how it was shown: by a file that the work itself changed. */
  remark?: string
  evidence: EvidenceRecord[]
}

/** All that a packet is made of. */
export interface PacketInput {
  contract: Contract
  gates: Gate[]
  reports: { worker: string; clauses: string[]; how: string; report: string }[]
  listing: { path: string; sizeBytes: number; change: 'added' | 'changed' | 'removed' | 'kept' }[]
  /** For the leak scan only: never sent. */
  sources: Iterable<SourceFile>
  /** Exact values of secrets, for the scan only; what has the form of one is found without. */
  knownSecrets?: readonly string[]
  round: number
}
