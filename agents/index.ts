export { renderLaunchScript } from './launch-script.ts'
export { formatStopBlock, prepareOrchestrator, prepareResume } from './orchestrator.ts'
export { buildWorkerMark, prepareWorker } from './worker.ts'
