import { type Status, settled } from '../session/index.ts'
import { type Reply, type Running, refuse } from './running.ts'

/** Dollars that the workers which have ended have cost, as claude says; the orchestrator says nothing of its own cost. */
export function spentUsd({ workers }: Pick<Status, 'workers'>): number {
  return workers.reduce((sum, worker) => sum + (worker.costUsd ?? 0), 0)
}

/** Dollars that a worker may still cost; undefined where there is no budget. */
export function leftUsd({ config, status }: Running): number | undefined {
  const left = config.BUDGET_USD - spentUsd(status)
  return config.BUDGET_USD === 0 ? undefined : left < 0.0001 ? 0 : left // Sums of cents are never quite even.
}

/** Say once for each budget that it is spent: BUDGET_USD may be raised while a session runs. */
export function watchBudget(running: Running): void {
  const { config, status } = running
  if (settled(status) || leftUsd(running) !== 0 || status.budget?.budgetUsd === config.BUDGET_USD) return
  running.record({ is: 'budget.reached', spentUsd: spentUsd(status), budgetUsd: config.BUDGET_USD })
}

/** Why no further worker is started, when the budget is spent. */
export function overBudget(running: Running): Reply | undefined {
  if (leftUsd(running) !== 0) return undefined
  watchBudget(running)
  return refuse(
    `The budget of $${running.config.BUDGET_USD.toFixed(2)} is spent, and the human knows. Submit what there is, or run \`ask\` and end your turn: only they can raise BUDGET_USD.`,
  )
}
