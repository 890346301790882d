export { Entry, type EntryState, type Landing, MAX_RETRY_COUNT } from './entry.ts'
export {
  getLanderLease,
  getLandingFolder,
  LandingQueue,
  listLandingQueues,
} from './landing-queue.ts'
export { chooseNext, listOverlaps } from './order.ts'
