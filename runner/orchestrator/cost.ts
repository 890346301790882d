import { readStamp, readUntrusted } from '#host/fs'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import type { EventBody } from '#session/log'
import { addUpCost, isSettled, type SessionStatus } from '#session/status'
import type { RunnerContext } from '../context.ts'
import { type CostReport, parseCostReport } from './cost-report.ts'

/** A busy orchestrator reports every few seconds. */
const WORKING_INTERVAL_MS = MINUTE_MS
const SETTLED_INTERVAL_MS = 2 * SECOND_MS
const MAX_REPORT_BYTES = 64 * 1024

/**
 * Records what the orchestrator has cost, from the report that its claude keeps up to date. The report is a file that the agent
 * can write, so it is its own claim, as the stream of a worker is. It has one size however long the night is.
 */
export class OrchestratorCost {
  private stamp = ''
  private isPending = false
  private recordedAtMs = Number.NEGATIVE_INFINITY

  /** Record a new report: at most once a minute while there is work, but at once when it spends the budget. */
  check(context: RunnerContext): void {
    const stamp = readStamp(context.session.paths.costReport)
    this.isPending ||= stamp !== this.stamp
    this.stamp = stamp
    if (!this.isPending) return
    const cost = readCost(context)
    const intervalMs = isSettled(context.status) ? SETTLED_INTERVAL_MS : WORKING_INTERVAL_MS
    const isDue = performance.now() - this.recordedAtMs >= intervalMs
    if (cost !== undefined && !isDue && !spendsBudget(context, cost)) return
    this.isPending = false
    if (cost === undefined) return
    context.record(cost)
    this.recordedAtMs = performance.now()
  }
}

/** Record the newest report now. */
export function recordCost(context: RunnerContext): void {
  const cost = readCost(context)
  if (cost !== undefined) context.record(cost)
}

/** The cost with this report. A figure that has become lower is that of another claude, which began at nothing. Pure. */
export function addReport(before: SessionStatus['orchestratorCost'], { usd, unpricedModel }: CostReport): CostEvent {
  const earlier = before ?? { usd: 0, runUsd: 0 }
  const added = usd >= earlier.runUsd ? usd - earlier.runUsd : usd
  return {
    type: 'cost.reported',
    usd: roundUsd(earlier.usd + added),
    runUsd: roundUsd(usd),
    ...(unpricedModel === undefined ? {} : { unpricedModel }),
  }
}

// --- internal ---

type CostEvent = Extract<EventBody, { type: 'cost.reported' }>

/** What is to be recorded; undefined if nothing is new. */
function readCost({ session, status }: RunnerContext): CostEvent | undefined {
  const report = parseCostReport(readUntrusted(session.paths.costReport, MAX_REPORT_BYTES)?.toString('utf8') ?? '')
  const cost = report && addReport(status.orchestratorCost, report)
  return cost?.runUsd === (status.orchestratorCost?.runUsd ?? 0) ? undefined : cost
}

/** Is the budget spent with this cost, and not recorded as spent? */
function spendsBudget({ config, status }: RunnerContext, { usd }: CostEvent): boolean {
  const { BUDGET_USD: budgetUsd } = config
  return budgetUsd > 0 && status.budget?.budgetUsd !== budgetUsd && addUpCost(status).workersUsd + usd >= budgetUsd
}

/** To a millionth of a dollar: anything below is rounding noise. */
function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6
}
