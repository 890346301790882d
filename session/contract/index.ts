export { type ContractChange, compareContracts } from './amendment.ts'
export {
  type ClauseProof,
  type Contract,
  type ContractClause,
  type ContractProblem,
  describeBrokenPins,
  describeChangedCheckFiles,
  describeProblems,
  type Expectation,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
  type WorkDiff,
} from './contract.ts'
export { globsOverlap, isGlob, matchesGlob } from './glob.ts'
