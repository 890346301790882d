export { renderLaunchScript } from './launch.ts'
export { formatStopBlock, prepareOrchestrator } from './orchestrator.ts'
export { buildWorkerMark, prepareWorker, type WorkerSpec } from './worker.ts'
