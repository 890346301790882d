export { type ContractChange, compareContracts } from './amendment.ts'
export type { ClauseProof, Contract, ContractClause, ContractProblem, Expectation } from './clause.ts'
export {
  describeProblems,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
} from './contract.ts'
export { globsOverlap, isGlob, matchesGlob } from './glob.ts'
export { describeBrokenPins, describeChangedCheckFiles, type WorkDiff } from './pins.ts'
