export { decideBrackets, formatGlobs } from './brackets.ts'
export {
  type ClauseProof,
  type Contract,
  type ContractClause,
  type ContractProblem,
  type Expectation,
  getProofKind,
  listExpectations,
} from './clause.ts'
export { type ContractChange, compareContracts } from './compare-contracts.ts'
export {
  describeProblems,
  listExcludedSentences,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
} from './contract.ts'
export { globsOverlap, isGlob, matchesGlob } from './glob.ts'
export { describeBrokenPins, describeChangedCheckFiles, findUnmatchedPin, type WorkDiff } from './pins.ts'
export { listChangesOutsideScopes } from './scope.ts'
