export { launchScript } from './launch.ts'
export { holdReply, layOrchestrator } from './orchestrator.ts'
export { type Commission, layWorker, workerMark } from './worker.ts'
