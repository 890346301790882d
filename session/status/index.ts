export {
  applyEvent,
  type ClauseStatus,
  computeStatus,
  countConsecutiveRestarts,
  initialStatus,
  isAwaitingApproval,
  isSettled,
  type SessionStatus,
  type VerdictState,
  type WorkerStatus,
} from './status.ts'
export { computeState, readAllViews, readView, type SessionView } from './view.ts'
