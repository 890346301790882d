export { EvidenceRecord, readEvidence, serializeEvidence } from './evidence.ts'
export {
  type ClauseVerdict,
  isUndecidedGate,
  readCurrentVerdict,
  readVerdictRecord,
  renderVerdict,
  type VerdictRecord,
} from './verdict.ts'
