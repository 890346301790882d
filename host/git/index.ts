export { readAttributes } from './attributes.ts'
export { findRepository, type UserRepository } from './find-repository.ts'
export { filterTrackedPaths, git, redirectObjects, tryGit } from './git.ts'
export { isPartialClone } from './partial-clone.ts'
export { findRepoWarnings } from './repo-warnings.ts'
export { chooseCommit, findTaskRepository } from './task-folder.ts'
export { formatTrust } from './trust.ts'
export {
  type Checkout,
  countCommits,
  createBranch,
  fetchCommit,
  findCheckout,
  findCommitWithTree,
  findWorktree,
  isBranchName,
  isReachable,
  measureDivergence,
  resolveCommit,
  resolveTree,
} from './user-repo.ts'
