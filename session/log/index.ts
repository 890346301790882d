export { createStory, describeEvent, type EventDescription } from './describe-event.ts'
export {
  type Event,
  type EventBody,
  type Outcome,
  parseEvent,
  type Verdict,
  type WorkerEnding,
  type WorkerKind,
} from './event.ts'
export { followLog, watchPaths } from './follow.ts'
export { appendEvent, formatLogAnchor, readLog } from './log.ts'
export { LogWriter } from './log-writer.ts'
