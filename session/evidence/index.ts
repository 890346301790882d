export { EvidenceRecord, readEvidence, serializeEvidence } from './evidence.ts'
export { LandingRecord, readLanding, serializeLanding } from './landing.ts'
export { describeTestChanges, explainNothingRan, formatTestCounts, TestCounts } from './test-counts.ts'
export {
  type ClauseVerdict,
  describeJudge,
  isUndecidedGate,
  readCurrentVerdict,
  readVerdictRecord,
  renderVerdict,
  type VerdictRecord,
} from './verdict.ts'
