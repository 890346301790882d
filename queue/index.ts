export { explainWait } from './explain-wait.ts'
export type { ReadEnd } from './follow.ts'
export { computeRoom, findCap, type Limits, type Load, type Room, SESSION_MEMORY_BYTES } from './limits.ts'
export { endPause, type Pause, readPause, writePause } from './pause.ts'
export {
  type Claim,
  Fence,
  type Item,
  itemStates,
  MAX_FAILURES,
  type NewItem,
  type Outcome,
  type Priority,
  priorities,
  type Queue,
} from './queue.ts'
export { openQueue } from './sqlite-queue.ts'
export { getWakeFile, wakeQueue } from './wake.ts'
