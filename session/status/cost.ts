import type { SessionStatus } from './status-types.ts'

/** What a session has cost so far, as claude reported it. */
export interface SessionCost {
  usd: number
  /** Null while nothing is reported. */
  orchestratorUsd: number | null
  workersUsd: number
  /** A model whose price claude does not know, so that it counts another one. */
  unpricedModel: string | null
}

/** Add up what the agents of a session have cost. What was not reported counts as nothing. Pure. */
export function addUpCost({
  workers,
  orchestratorCost,
}: Pick<SessionStatus, 'workers' | 'orchestratorCost'>): SessionCost {
  const workersUsd = workers.reduce((sum, worker) => sum + (worker.costUsd ?? 0), 0)
  return {
    usd: workersUsd + (orchestratorCost?.usd ?? 0),
    orchestratorUsd: orchestratorCost?.usd ?? null,
    workersUsd,
    unpricedModel: orchestratorCost?.unpricedModel ?? null,
  }
}

/** `$1.25`, and its parts: `orchestrator $0.40, workers $0.85`; undefined while claude has reported nothing. Pure. */
export function describeCost(status: Parameters<typeof addUpCost>[0]): { total: string; parts: string } | undefined {
  const { usd, orchestratorUsd, workersUsd, unpricedModel } = addUpCost(status)
  if (usd === 0) return undefined
  const orchestrator = orchestratorUsd === null ? 'not reported' : formatUsd(orchestratorUsd)
  const guess = unpricedModel === null ? '' : ` (a guess: claude does not know the price of ${unpricedModel})`
  return { total: formatUsd(usd), parts: `orchestrator ${orchestrator}, workers ${formatUsd(workersUsd)}${guess}` }
}

function formatUsd(usd: number): string {
  return `$${usd.toFixed(2)}`
}
