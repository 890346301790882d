export { hasCommit, verifyObjects } from './bare-git.ts'
export { listCommitFiles, listNestedRepositories, readCommitFiles } from './commit-files.ts'
export {
  describeVoidReason,
  listChangedPaths,
  listChangesSinceVerdict,
  listDifferences,
  listVisibleChanges,
} from './diff.ts'
export { checkFilteredFiles } from './filter-problems.ts'
export { listInboxChanges } from './inbox-changes.ts'
export { getStoresFolder, listPackStores, type PackStore, removeUnusedPackStores } from './pack-store.ts'
export {
  addIgnoredPaths,
  type Commit,
  createReference,
  importWork,
  prepareRepository,
} from './repository.ts'
export { exportRepository } from './repository-export.ts'
export { listAllFiles, listMovedSubmodules, listSubmoduleChanges } from './submodules.ts'
