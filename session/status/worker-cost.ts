import type { SessionStatus, WorkerStatus } from './status-types.ts'

/**
 * The cost of a worker with what a run of it has cost that ended. Where claude did not report that, the estimate counts that was
 * recorded last. A worker that was parked or cut off has several runs.
 */
export function settleCost(
  { workers }: SessionStatus,
  name: string,
  reportedUsd: number | null,
): Pick<WorkerStatus, 'costUsd' | 'estimatedUsd' | 'inFlightUsd'> {
  const { costUsd = null, estimatedUsd = 0, inFlightUsd } = workers.find(worker => worker.name === name) ?? {}
  const runUsd = reportedUsd ?? inFlightUsd ?? null
  const guessedUsd = reportedUsd === null ? (inFlightUsd ?? 0) : 0
  return {
    costUsd: costUsd === null || runUsd === null ? (runUsd ?? costUsd) : costUsd + runUsd,
    estimatedUsd: estimatedUsd + guessedUsd || undefined,
    inFlightUsd: undefined,
  }
}
