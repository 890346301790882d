export { createBranch, deleteBranch, isInDefaultBranch, readBranchTip } from './branch.ts'
export {
  type Claim,
  createComment,
  deleteComment,
  editComment,
  readClaims,
  renderClaimMark,
} from './claim-mark.ts'
export { type IssueHistory, mayWrite, readHistory } from './history.ts'
export { type Issue, type ListedIssue, readComments, readIssue } from './issue.ts'
export { type IssueList, type IssueQuery, listIssues } from './list.ts'
export { type Ignored, type PinnedIssue, pinIssue, type Trigger } from './pin.ts'
export { isTrusted } from './trust.ts'
