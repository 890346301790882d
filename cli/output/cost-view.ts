import { stripVTControlCharacters } from 'node:util'
import { formatCount, sanitize } from '#host/text.ts'
import { foldText } from '../help.ts'
import { type CostTotal, type SessionCost, sumCosts, type TokenUsage } from '../session-cost.ts'
import {
  fitTable,
  formatElapsed,
  formatTable,
  formatTitle,
  getTerminalWidth,
  measureTableWidth,
  paint,
  print,
} from './terminal.ts'

export function printCost(cost: SessionCost): void {
  const { id, workers, orchestrator, judge } = cost
  print(formatTitle(id))
  const workerRows = workers.map(({ name, model, seconds, usd, estimatedUsd }) => [
    `  ${name}`,
    model,
    seconds === null ? 'running' : formatElapsed(seconds * 1000),
    estimatedUsd > 0 ? `${formatDollars(usd)}, ${formatDollars(estimatedUsd)} of it estimated` : formatDollars(usd),
  ])
  if (workerRows.length > 0) print(`\n${paint('bold', 'Workers')}\n${formatTable(workerRows)}`)
  const dollars = orchestrator.usd === null ? `dollars ${NOT_REPORTED}` : formatDollars(orchestrator.usd)
  print(`\n${paint('bold', 'Orchestrator')}  ${orchestrator.model}, ${dollars}`)
  if (orchestrator.unpricedModel !== null)
    print(
      paint(
        'yellow',
        `  claude does not know the price of ${sanitize(orchestrator.unpricedModel)}: these dollars are its guess`,
      ),
    )
  if (orchestrator.tokens === null) print('  tokens unknown: claude has no transcript of it')
  else
    print(
      formatTable([tokenHeadings, ...orchestrator.tokens.map(usage => [`  ${usage.model}`, ...formatTokens(usage)])]),
    )
  print(`\n${paint('bold', 'Judge')}  ${judge.model}, ${formatCount(judge.rounds, 'round')}, dollars ${NOT_REPORTED}`)
  const { usd, unreported } = sumCosts(id, [cost])
  const missing = unreported > 0 ? `judge and ${formatCount(unreported, 'agent')}` : 'judge'
  print(`\n${paint('bold', 'Reported')}  ${formatDollars(usd)}, without ${missing}`)
}

/** Every session below the total of its day, then the total of all. */
export function printCostTable(costs: SessionCost[], days: CostTotal[]): void {
  const rows = days.flatMap(day => [
    formatTotal(day, paint('bold', day.name)),
    ...costs
      .filter(cost => cost.day === day.name)
      .map(cost => formatTotal(sumCosts(cost.id, [cost]), paint('dim', `  ${cost.id}`), '')),
  ])
  const headings = ['', '', '', 'work time', 'reported', ...tokenHeadings.slice(1), 'judged']
  const table = [headings, ...rows, formatTotal(sumCosts('total', costs), paint('bold', 'total'))]
  const isCacheColumn = (column: number) => tokenHeadings.slice(3).includes(headings[column] ?? '')
  const narrowTable = table.map(row => row.filter((_, column) => !isCacheColumn(column)))
  const shortenId = (cell: string, width: number) =>
    paint('dim', `  …${stripVTControlCharacters(cell).slice(3 - width)}`) // The end of an id identifies it.
  print(fitTable(measureTableWidth(table) > getTerminalWidth() ? narrowTable : table, 0, shortenId))
  print()
  for (const line of foldText(FOOTNOTE).split('\n')) print(paint('dim', line))
}

// --- internal ---

const NOT_REPORTED = 'not reported'
const tokenHeadings = ['', 'in', 'out', 'cache read', 'cache write']
const FOOTNOTE =
  'Dollars are those that claude reported for orchestrators and workers; tokens are the orchestrators’. The dollars of judges are not reported.'

function formatTotal(total: CostTotal, name: string, sessions = formatCount(total.sessions, 'session')): string[] {
  return [
    name,
    sessions,
    formatCount(total.workers, 'worker'),
    formatElapsed(total.seconds * 1000),
    formatReported(total),
    ...formatTokens(total.tokens),
    formatCount(total.rounds, 'round'),
  ]
}

function formatTokens({ input, output, cacheRead, cacheWrite }: TokenUsage): string[] {
  return [input, output, cacheRead, cacheWrite].map(count => count.toLocaleString('en-US'))
}

/** `$0.0048`, and for how many agents nothing was reported. */
function formatReported({ usd, workers, sessions, unreported }: CostTotal): string {
  if (unreported === workers + sessions) return NOT_REPORTED
  return `${formatDollars(usd)}${unreported > 0 ? ` and ${unreported} ${NOT_REPORTED}` : ''}`
}

function formatDollars(usd: number | null): string {
  if (usd === null) return NOT_REPORTED
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`
}
