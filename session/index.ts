export { refuseNewerFormat } from './format-version.ts'
export { createSessionId, isSessionId, isWorkerName } from './id.ts'
export type { SessionPaths } from './paths.ts'
export {
  createSession,
  findClaudeFolder,
  findSession,
  hasClaudeFolders,
  listDamagedSessions,
  listSessions,
  type Session,
  SessionManifest,
} from './store.ts'
