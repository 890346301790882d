/** What a run of a check must show. The output is compared with `outputEquals` without its last line break. */
export interface Expectation {
  exitCode: number
  outputContains: string[]
  outputMatches: string[]
  outputEquals?: string
}

/**
 * How a clause is proved: by a command that the runner runs, by the judge from the evidence, or by git from the diff.
 */
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
