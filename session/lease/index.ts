export { acquireRunnerLease, requireRunnerLease, SessionBusyError } from './runner-lease.ts'
