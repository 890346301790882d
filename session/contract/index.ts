export { type ContractChange, compareContracts } from './amendment.ts'
export type { ClauseProof, Contract, ContractClause, ContractProblem, Expectation } from './clause.ts'
export {
  describeBrokenPins,
  describeChangedCheckFiles,
  describeProblems,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
  type WorkDiff,
} from './contract.ts'
export { globsOverlap, isGlob, matchesGlob } from './glob.ts'
