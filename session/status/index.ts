export { describeJudgeWait, explainJudgeRefusal } from './judge-wait.ts'
export {
  applyEvent,
  computeStatus,
  countConsecutiveRestarts,
  initialStatus,
  isAwaitingApproval,
  isSettled,
} from './status.ts'
export type { ClauseStatus, JudgeWait, SessionStatus, VerdictState, WorkerStatus } from './status-types.ts'
export { computeState, readAllViews, readView, type SessionView } from './view.ts'
