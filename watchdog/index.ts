export { isOrphan, revive } from './revive.ts'
