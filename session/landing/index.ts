export { listLfsVersions } from '../repository/lfs.ts'
export { disarm, renderWorkMessage } from '../squash-message.ts'
export type { LandingStatus } from '../status/status-types.ts'
export { readBaseBranch } from './base-branch.ts'
export { findSecretMessage, findUnjudgedHistory } from './history.ts'
export { applyChange } from './merge-trees.ts'
export { findMissingContent } from './missing-content.ts'
export {
  type LandingAuthor,
  type LandingMethod,
  landingAuthors,
  landingMethods,
  type Replay,
  replayWork,
} from './replay.ts'
export { requirePass } from './require-pass.ts'
