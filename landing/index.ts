export { Entry, type EntryState, type Landing } from './entry.ts'
export {
  getLanderLease,
  getLandingFolder,
  LandingQueue,
  LOOK_BACK_MS,
  listLandingQueues,
} from './landing-queue.ts'
export { chooseNextLanding, LONGEST_REST_MS, listOverlaps } from './order.ts'
