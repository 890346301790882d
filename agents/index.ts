export { renderLaunchScript } from './launch-script.ts'
export { formatStopBlock, prepareOrchestrator } from './orchestrator.ts'
export { buildWorkerMark, prepareWorker } from './worker.ts'
