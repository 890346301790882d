export { findUnsavedWork, finishRemovals, removeSession } from './remove-session.ts'
export { findRemovability } from './retention.ts'
export { getLastEventTime, measureSession, readKnownSize } from './size.ts'
