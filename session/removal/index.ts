export { findRemovability } from './retention.ts'
export { getLastEventTime, measureSession, readKnownSize } from './size.ts'
