export {
  applyEvent,
  computeStatus,
  countConsecutiveRestarts,
  initialStatus,
  isAwaitingApproval,
  isSettled,
} from './status.ts'
export type { ClauseStatus, SessionStatus, VerdictState, WorkerStatus } from './status-types.ts'
export { computeState, readAllViews, readView, type SessionView } from './view.ts'
