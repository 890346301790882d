export { filterExistingPaths, filterTrackedPaths, findRepository, git, tryGit, type UserRepository } from './git.ts'
export { findRepoWarnings } from './repo-warnings.ts'
export { describeMissingRepository, findTaskRepository } from './task-folder.ts'
export { formatTrust } from './trust.ts'
export {
  type Checkout,
  createBranch,
  type Divergence,
  fetchCommit,
  findCheckout,
  findWorktree,
  isBranchName,
  isReachable,
  measureDivergence,
  resolveCommit,
  resolveTree,
} from './user-repo.ts'
