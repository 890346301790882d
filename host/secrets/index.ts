export { listKnownSecrets, parseAssignedSecrets } from './known-values.ts'
export { findSecrets, redactionLabels, redactSecrets } from './redact.ts'
