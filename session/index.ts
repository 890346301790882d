export {
  type ApplyStyle,
  applyWork,
  describeWarning,
  findApplied,
  findTargetRepository,
  findWorkToApply,
  type WorkToApply,
} from './apply.ts'
export { createSessionId, isSessionId, isWorkerName } from './id.ts'
export { findClaudeFolder, hasClaudeFolders, refuseNewerFormat, type Session, SessionManifest } from './manifest.ts'
export { styleWork } from './own-commit.ts'
export type { SessionPaths } from './paths.ts'
export {
  createSession,
  findSession,
  listDamagedSessions,
  listSessions,
  recordManifest,
} from './store.ts'
