export { sessionStates } from '../status/conditions.ts' // What a query may ask for.
export { deleteIndex } from './database.ts'
export { type ListedSessions, listOpenSessions, listSessionPage } from './list.ts'
export type { Progress, SessionQuery } from './session-index.ts'
