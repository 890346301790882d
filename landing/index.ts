export { Entry, type EntryState, type Landing } from './entry.ts'
export {
  getLanderLease,
  getLandingFolder,
  LandingQueue,
  listLandingQueues,
} from './landing-queue.ts'
export { chooseNextLanding, listOverlaps } from './order.ts'
