export { findRemovability } from './removability.ts'
export { findUnsavedWork, finishRemovals, removeSession } from './remove-session.ts'
export { getLastEventTime, measureSession, readKnownSize } from './size.ts'
