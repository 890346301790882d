export { listIgnoredFiles } from './ignored-files.ts'
export { listSecretsOf, listSessionSecrets } from './session-secrets.ts'
