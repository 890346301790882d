export { findRemovability } from './removable.ts'
export { getLastEventTime, measureSession, readKnownSize } from './size.ts'
