export {
  acquireDaemonLease,
  findDaemon,
  isDaemonLost,
  releaseDaemonLease,
  startDaemon,
  startInBackground,
  stopDaemon,
} from './daemon-process.ts'
export { watchForDeath } from './death-watch.ts'
export { classifyNeed, type Revival, type Room, reviveSessions } from './revive.ts'
