export {
  explainDaemonHost,
  findDaemon,
  findDaemonHost,
  holdsDaemonLease,
  isDaemonLost,
  refuseOtherHost,
  releaseDaemonLease,
  releaseGoneDaemon,
} from './daemon-lease.ts'
export { acquireDaemonLease, startDaemon, startInBackground, stopDaemon } from './daemon-process.ts'
export { watchForDeath } from './death-watch.ts'
export { classifyNeed, type Room, type Succession, startSuccessors } from './successors.ts'
