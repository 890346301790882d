export {
  type ClaimedFile,
  claimFile,
  type DoubtfulClaim,
  giveBack,
  keepClaim,
  listClaims,
  listPendingFolders,
  rejectClaim,
} from './claims.ts'
export { createInbox, findFolderProblem, getInbox, getTakenFolder, INBOX_FOLDER, QUEUE_FOLDER } from './folders.ts'
export { parseTaskFile, type TaskFile } from './front-matter.ts'
export { findTracked, inspectTaskFile, listTaskNames, readTaskFile } from './inspect.ts'
export { STILL_MS, Stillness } from './stillness.ts'
