export { listKnownSecrets, parseAssignedSecrets } from './known-values.ts'
export { findSecrets, redactAll, redactionLabels, redactSecrets } from './redact.ts'
