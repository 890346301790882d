import { z } from 'zod'
import { parseJson } from '#host/json.ts'

/** What an interactive claude says that its session has cost. */
export interface CostReport {
  /** Since this claude was started, or with what it resumed. */
  usd: number
  /** The model, if claude cannot know its price; it then counts the price of another one. */
  unpricedModel: string | undefined
}

/**
 * What claude writes to its status line: its own figure, of all models and also of its own small requests, with the prices that
 * an administrator may have set. Undefined for anything else, also for a figure that cannot be true. Recorded from claude 2.1.329. Pure.
 */
export function parseCostReport(text: string): CostReport | undefined {
  const report = StatusLineInput.safeParse(parseJson(text)).data
  if (!report) return undefined
  const { id } = report.model
  return {
    usd: report.cost.total_cost_usd,
    unpricedModel: /claude-/.test(id) ? undefined : id.slice(0, MAX_MODEL_CHARS),
  }
}

// --- internal ---

const MAX_MODEL_CHARS = 100
/** No session costs more. Far larger figures would not stay numbers when they are added up. */
const MAX_COST_USD = 1e6

const StatusLineInput = z.looseObject({
  model: z.looseObject({ id: z.string() }),
  cost: z.looseObject({ total_cost_usd: z.number().nonnegative().max(MAX_COST_USD) }),
})
