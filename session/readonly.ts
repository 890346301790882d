/** The reader's face: nothing that writes a session can be reached through it. The web page uses only this one. */

export { type EvidenceRecord, readEvidence } from './evidence/evidence.ts'
export { describeEvent, type EventDescription } from './log/describe-event.ts'
export type { Event } from './log/event.ts'
export { readLog } from './log/log.ts'
export type { Session } from './manifest.ts'
export type { SessionPaths } from './paths.ts'
export { isAwaitingApproval, isSettled } from './status/status.ts'
export type { ClauseStatus, SessionStatus } from './status/status-types.ts'
export { readView, type SessionView } from './status/view.ts'
export { findSession, listSessions } from './store.ts'
export type { Matrix, MatrixClause } from './traceability/matrix.ts'
export { readMatrix } from './traceability/reader.ts'
