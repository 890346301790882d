import { isSettled, type SessionStatus } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
/** Dollars that the workers which have ended have cost, as claude says; the orchestrator says nothing of its own cost. */
export function sumSpentUsd({ workers }: Pick<SessionStatus, 'workers'>): number {
  return workers.reduce((sum, worker) => sum + (worker.costUsd ?? 0), 0)
}

/** Dollars that a worker may still cost; undefined where there is no budget. */
export function computeRemainingUsd({ config, status }: RunnerContext): number | undefined {
  const left = config.BUDGET_USD - sumSpentUsd(status)
  return config.BUDGET_USD === 0 ? undefined : left < 0.0001 ? 0 : left // Sums of cents are never quite even.
}

/** Say once for each budget that it is spent: BUDGET_USD may be raised while a session runs. */
export function watchBudget(context: RunnerContext): void {
  const { config, status } = context
  if (isSettled(status) || computeRemainingUsd(context) !== 0 || status.budget?.budgetUsd === config.BUDGET_USD) return
  context.record({ type: 'budget.reached', spentUsd: sumSpentUsd(status), budgetUsd: config.BUDGET_USD })
}

/** Why no further worker is started, when the budget is spent. */
export function refuseOverBudget(context: RunnerContext): CommandReply | undefined {
  if (computeRemainingUsd(context) !== 0) return undefined
  watchBudget(context)
  return refuse(
    `The budget of $${context.config.BUDGET_USD.toFixed(2)} is spent, and the human knows. Submit what there is, or run \`ask\` and end your turn: only they can raise BUDGET_USD.`,
  )
}
