export { type ContractChange, compareContracts } from './amendment.ts'
export {
  type ClauseProof,
  type Contract,
  type ContractClause,
  type ContractProblem,
  type Expectation,
  getProofKind,
  listExpectations,
  listScopeGlobs,
} from './clause.ts'
export {
  describeProblems,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
} from './contract.ts'
export { globsOverlap, isGlob, matchesGlob } from './glob.ts'
export { describeBrokenPins, describeChangedCheckFiles, type WorkDiff } from './pins.ts'
