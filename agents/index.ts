export { askOnce, type OnceAnswer } from './ask-once.ts'
export { renderLaunchScript } from './launch-script.ts'
export { FIRST_PROMPT, formatStopBlock, prepareOrchestrator, prepareResume } from './orchestrator.ts'
export { buildWorkerMark, prepareWorker } from './worker.ts'
