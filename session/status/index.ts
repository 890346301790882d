export {
  computeState,
  countInARow,
  isAsleep,
  isAtWork,
  isAwaitingApproval,
  isOrchestratorGone,
  isSettled,
  needsPerson,
} from './conditions.ts'
export { addUpCost, describeCost } from './cost.ts'
export { describeJudgeWait, explainJudgeRefusal } from './judge-wait.ts'
export { explainOtherHost, findOtherHost, refuseOtherHost } from './other-host.ts'
export { applyEvent, computeStatus, initialStatus } from './status.ts'
export type { ClauseStatus, SessionStatus, VerdictState, WorkerStatus } from './status-types.ts'
export { readAllViews, readView, type SessionView } from './view.ts'
