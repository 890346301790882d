export { findRepositoryAddress, parseRepositoryAddress, type RepositoryAddress } from './address.ts'
export { decideMerge, type MergeDecision } from './decide-merge.ts'
export { ForgeError } from './errors.ts'
export type { AnswerMemory } from './etag-cache.ts'
export { connectForge, type Forge } from './forge.ts'
export type { ForgeConfig } from './login.ts'
export { type MergePlan, mergePullRequest } from './merge.ts'
export { readMergeState } from './merge-state.ts'
export { type PullRequestFacts, renderSection } from './pull-request-body.ts'
export {
  findClosingPullRequest,
  findPullRequest,
  type PublishedPullRequest,
  type PullRequest,
  type PullRequestRequest,
  publishPullRequest,
  readPullRequest,
  requireOpen,
} from './pull-requests.ts'
export { type ForgeRights, probeRights } from './rights.ts'
