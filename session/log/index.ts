export { cutNames } from './cut-names.ts'
export { createStory, describeEvent, type EventDescription } from './describe-event.ts'
export type {
  Event,
  EventBody,
  Outcome,
  Verdict,
  WorkerEnding,
  WorkerKind,
} from './event.ts'
export { followLog, watchPaths } from './follow.ts'
export { appendEvent, formatLogAnchor, readLog } from './log.ts'
export { LogWriter } from './log-writer.ts'
export { parseEvent } from './parse-line.ts'
