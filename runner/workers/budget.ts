import { addUpCost, isSettled } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { recordCost } from '../orchestrator/cost.ts'

/** Sums of cents are never exact, so less than this counts as nothing. */
const MIN_REMAINING_USD = 0.0001

/** What a worker may still cost, after all that the agents have cost; undefined without a budget. */
export function computeRemainingUsd({ config, status }: RunnerContext): number | undefined {
  if (config.BUDGET_USD === 0) return undefined
  const remaining = config.BUDGET_USD - addUpCost(status).usd
  return remaining < MIN_REMAINING_USD ? 0 : remaining
}

/** Record once for each budget that it is spent. BUDGET_USD can be raised while a session runs. */
export function watchBudget(context: RunnerContext): void {
  const { config, status } = context
  if (isSettled(status) || computeRemainingUsd(context) !== 0 || status.budget?.budgetUsd === config.BUDGET_USD) return
  context.record({ type: 'budget.reached', spentUsd: addUpCost(status).usd, budgetUsd: config.BUDGET_USD })
}

/** Refuse another worker if the budget is spent, or the time is up. */
export function refuseOverBudget(context: RunnerContext): CommandReply | undefined {
  if (context.status.isTimeUp)
    return refuse(
      'The session has worked for as long as it may, and the human has been asked whether to go on. Submit what there is, or end your turn: the answer will be your next message.',
    )
  if (context.config.BUDGET_USD > 0) recordCost(context)
  if (computeRemainingUsd(context) !== 0) return undefined
  watchBudget(context)
  return refuse(
    `The budget of $${context.config.BUDGET_USD.toFixed(2)} is spent, and the human has been notified. Submit what there is, or run \`ask\` and end your turn: only the human can raise BUDGET_USD.`,
  )
}
