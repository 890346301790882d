import type { SessionStatus } from './status-types.ts'

/** What a session has cost so far: as claude reported it, and estimated where it has not. */
export interface SessionCost {
  usd: number
  /** Null while nothing is reported. */
  orchestratorUsd: number | null
  /** With the runs that have not ended. */
  workersUsd: number
  /** The part of it that claude has not reported, so that dispatch estimates it. */
  estimatedUsd: number
  /** A model whose price claude does not know, so that it counts another one. */
  unpricedModel: string | null
}

/** Add up what the agents of a session have cost. What is not known counts as nothing. Pure. */
export function addUpCost({
  workers,
  orchestratorCost,
}: Pick<SessionStatus, 'workers' | 'orchestratorCost'>): SessionCost {
  const inFlightUsd = workers.reduce((sum, worker) => sum + (worker.inFlightUsd ?? 0), 0)
  const workersUsd = inFlightUsd + workers.reduce((sum, worker) => sum + (worker.costUsd ?? 0), 0)
  return {
    usd: workersUsd + (orchestratorCost?.usd ?? 0),
    orchestratorUsd: orchestratorCost?.usd ?? null,
    workersUsd,
    estimatedUsd: inFlightUsd + workers.reduce((sum, worker) => sum + (worker.estimatedUsd ?? 0), 0),
    unpricedModel: orchestratorCost?.unpricedModel ?? null,
  }
}

/** `$1.25`, and its parts: `orchestrator $0.40, workers $0.85`; undefined while claude has reported nothing. Pure. */
export function describeCost(status: Parameters<typeof addUpCost>[0]): { total: string; parts: string } | undefined {
  const { usd, orchestratorUsd, workersUsd, estimatedUsd, unpricedModel } = addUpCost(status)
  if (usd === 0) return undefined
  const orchestrator = orchestratorUsd === null ? 'not reported' : formatUsd(orchestratorUsd)
  const guess = unpricedModel === null ? '' : ` (a guess: claude does not know the price of ${unpricedModel})`
  const estimate = estimatedUsd === 0 ? '' : ` (${formatUsd(estimatedUsd)} of it estimated)`
  const parts = `orchestrator ${orchestrator}${guess}, workers ${formatUsd(workersUsd)}${estimate}`
  return { total: formatUsd(usd), parts }
}

function formatUsd(usd: number): string {
  return `$${usd.toFixed(2)}`
}
