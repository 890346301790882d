/** What a check's run must show. `equals` is compared without the last line break. */
export interface Expectation {
  exitCode: number
  outputContains: string[]
  outputMatches: string[]
  outputEquals?: string
}

/** How a clause is proved: by a command we run, by the judge from the evidence, or by git from the diff. */
export type ClauseProof =
  | {
      kind: 'check'
      command: string
      isGuard: boolean
      expectation: Expectation
      timeoutSeconds?: number
      /** Files of before the work that it may not change: the check rests on them. */
      pins?: string[]
    }
  | { kind: 'judged' }
  | { kind: 'scope'; globs: string[] }

export interface ContractClause {
  id: string
  /** The one observable sentence. */
  sentence: string
  line: number
  /** Sentences of the task (`S1`) that this clause answers for. */
  covers: string[]
  proof: ClauseProof
}

export interface Contract {
  title: string
  clauses: ContractClause[]
  /** Sentences of the task said to be left out, with the reason. */
  exclusions: { sentenceId: string; reason: string }[]
}

/** What is wrong, in which line (from 1; 0 is the whole file), and how to mend it. */
export interface ContractProblem {
  line: number
  message: string
  remedy: string
}
