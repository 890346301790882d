export { isOrphan, reviveSessions } from './revive.ts'
