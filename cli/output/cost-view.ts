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

/** Every session below the total of its day, then the total of all. A narrow terminal gets fewer columns. */
export function printCostTable(costs: SessionCost[], days: CostTotal[]): void {
  const rows = days.flatMap(day => [
    formatTotal(day, paint('bold', day.name)),
    ...costs
      .filter(cost => cost.day === day.name)
      .map(cost => formatTotal(sumCosts(cost.id, [cost]), paint('dim', `  ${cost.id}`), '')),
  ])
  const table = [headings, ...rows, formatTotal(sumCosts('total', costs), paint('bold', 'total'))]
  const shortenId = (cell: string, width: number) =>
    paint('dim', `  …${stripVTControlCharacters(cell).slice(3 - width)}`) // The end of an id identifies it.
  print(fitTable(fitColumns(table), 0, shortenId))
  print()
  for (const line of foldText(FOOTNOTE).split('\n')) print(paint('dim', line))
}

// --- internal ---

const NOT_REPORTED = 'not reported'
const tokenHeadings = ['', 'in', 'out', 'cache read', 'cache write']
const headings = ['', 'sessions', 'workers', 'work time', 'dollars', 'unknown', ...tokenHeadings.slice(1), 'rounds']
/** What a narrow terminal leaves out, first things first. */
const dispensableHeadings = ['cache read', 'cache write', 'work time', 'in', 'out']
const FOOTNOTE =
  'Dollars are those that claude reported for orchestrators and workers, and “unknown” counts the agents for which it reported none. Tokens are the orchestrators’. The dollars of judges are not reported.'

/** The table without as many dispensable columns as it takes to fit the terminal. */
function fitColumns(table: string[][]): string[][] {
  const narrower = dispensableHeadings.map((_, index) => dispensableHeadings.slice(0, index + 1))
  const candidates = [[], ...narrower].map(left =>
    table.map(row => row.filter((_, at) => !left.includes(headings[at] ?? ''))),
  )
  return candidates.find(candidate => measureTableWidth(candidate) <= getTerminalWidth()) ?? candidates.at(-1) ?? table
}

function formatTotal(total: CostTotal, name: string, sessions = String(total.sessions)): string[] {
  return [
    name,
    sessions,
    String(total.workers),
    formatElapsed(total.seconds * 1000),
    total.unreported === total.workers + total.sessions ? '-' : formatDollars(total.usd),
    total.unreported > 0 ? String(total.unreported) : '',
    ...formatTokens(total.tokens),
    String(total.rounds),
  ]
}

function formatTokens({ input, output, cacheRead, cacheWrite }: TokenUsage): string[] {
  return [input, output, cacheRead, cacheWrite].map(count => count.toLocaleString('en-US'))
}

function formatDollars(usd: number | null): string {
  if (usd === null) return NOT_REPORTED
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`
}
