import type { ProofKind } from '../log/event.ts'

/** What a run of a check must show. The output is compared with `outputEquals` without its last line break. */
export interface Expectation {
  exitCode: number
  outputContains: string[]
  outputMatches: string[]
  outputEquals?: string
  /** It may skip all of its tests. Otherwise a check in which no test ran proves nothing. */
  allowsSkips?: boolean
}

/** How a clause is proved: by a command that the runner runs, by the judge from evidence, or by git's diff. */
export type ClauseProof =
  | {
      kind: 'check'
      command: string
      isGuard: boolean
      expectation: Expectation
      timeoutSeconds?: number
      /** Existing files that the check depends on, as globs. The work must not change them. */
      pins?: string[]
    }
  | { kind: 'judged' }
  | { kind: 'scope'; globs: string[] }

export interface ContractClause {
  id: string
  /** One sentence that is observably true or false. */
  sentence: string
  line: number
  /** The sentences of the task (`S1`) that this clause covers. */
  covers: string[]
  proof: ClauseProof
}

export interface Contract {
  title: string
  clauses: ContractClause[]
  /** Sentences of the task that are left out, each with the reason. */
  exclusions: { sentenceId: string; reason: string }[]
}

/** What is wrong, in which line (from 1; 0 is the whole file), and how to fix it. */
export interface ContractProblem {
  line: number
  message: string
  remedy: string
}

/** The kind of a proof, with a guard as a kind of its own. Pure. */
export function getProofKind(proof: ClauseProof): ProofKind {
  return proof.kind === 'check' && proof.isGuard ? 'guard' : proof.kind
}

/** The scopes of a contract add up: all of their globs. Pure. */
export function listScopeGlobs({ clauses }: Contract): string[] {
  return clauses.flatMap(({ proof }) => (proof.kind === 'scope' ? proof.globs : []))
}

/** List what a run must show: `exit 0`, `output contains "34"`. Pure. */
export function listExpectations(expectation: Expectation): string[] {
  const { exitCode, outputContains, outputMatches, outputEquals, allowsSkips } = expectation
  return [
    `exit ${exitCode}`,
    ...outputContains.map(text => `output contains ${JSON.stringify(text)}`),
    ...outputMatches.map(text => `output matches /${text}/`),
    ...(outputEquals === undefined ? [] : [`output equals ${JSON.stringify(outputEquals)}`]),
    ...(allowsSkips ? ['all tests may be skipped'] : []),
  ]
}
