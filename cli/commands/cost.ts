import { stripVTControlCharacters } from 'node:util'
import { exitCodes } from '#host/error.ts'
import { listSessions, type Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { defineCommand, foldText } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { Tail } from '../output/tail.ts'
import {
  fitTable,
  formatElapsed,
  formatTable,
  formatTitle,
  getTerminalWidth,
  measureTableWidth,
  paint,
  print,
} from '../output/terminal.ts'
import { countTokens, findTranscript, sumTokens, type TokenUsage } from '../output/transcript.ts'
export const command = defineCommand({
  about: `
What a session has cost, as far as anybody said so: of each worker its model, its time and the dollars that claude reported;
of the orchestrator the tokens that stand in its transcript, by model; how often the judge was asked. Dollars that nobody
reported are not estimated. Without an id: every session, added up by the day it was opened (UTC, as in its id).
`,
  options: { json: { type: 'boolean', about: 'one JSON object on standard output instead of words' } },
  async run(values, words) {
    const config = readConfigOrDefaults()
    if (words[0] !== undefined) {
      const cost = readCost(pickSession(config, words[0]))
      if (values.json) print(JSON.stringify(cost))
      else printCost(cost)
      return exitCodes.ok
    }
    const costs = listSessions(config.workspace).map(readCost)
    const days = sumByDay(costs)
    if (values.json) print(JSON.stringify({ days, total: sumCosts('total', costs), sessions: costs }))
    else if (costs.length === 0) print('No session yet.')
    else printCostTable(costs, days)
    return exitCodes.ok
  },
})

export interface SessionCost {
  id: string
  day: string
  workers: WorkerCost[]
  orchestrator: {
    model: string
    /** Null where no transcript could be found. */
    tokens: TokenUsage[] | null
    /** Claude reports dollars of a headless run only. */
    usd: null
  }
  judge: { model: string; rounds: number; usd: null }
}

interface WorkerCost {
  name: string
  model: string
  /** Null while it works. */
  seconds: number | null
  /** Null where claude reported nothing. */
  usd: number | null
}

/** Costs added up. */
interface CostTotal {
  name: string
  sessions: number
  workers: number
  seconds: number
  /** What was reported. */
  usd: number
  /** Workers of which no dollars were reported. */
  unreported: number
  tokens: TokenUsage
  rounds: number
}

export function readCost(session: Session): SessionCost {
  const { events } = readLog(session.paths.events)
  const status = computeStatus(events)
  const ends = new Map(events.flatMap(event => (event.type === 'worker.ended' ? [[event.worker, event] as const] : [])))
  const transcript = findTranscript(session)
  return {
    id: session.id,
    day: session.manifest.openedAt.slice(0, 10),
    workers: status.workers.map(({ name, model }) => ({
      name,
      model,
      seconds: ends.get(name)?.seconds ?? null,
      usd: roundUsd(ends.get(name)?.costUsd),
    })),
    orchestrator: {
      model: session.manifest.models.orchestrator,
      tokens: transcript === undefined ? null : countTokens(new Tail(transcript).readNewLines()),
      usd: null,
    },
    judge: {
      model: session.manifest.models.judge,
      rounds: events.filter(event => event.type === 'judging.started').length,
      usd: null,
    },
  }
}

function sumByDay(costs: SessionCost[]): CostTotal[] {
  const days = new Set(costs.map(({ day }) => day))
  return [...days].map(day =>
    sumCosts(
      day,
      costs.filter(cost => cost.day === day),
    ),
  )
}

function sumCosts(name: string, costs: SessionCost[]): CostTotal {
  const workers = costs.flatMap(cost => cost.workers)
  const total = (numbers: number[]) => numbers.reduce((before, number) => before + number, 0)
  const all = costs.flatMap(({ orchestrator }) => orchestrator.tokens ?? []).map(one => ({ ...one, model: 'all' }))
  return {
    name,
    sessions: costs.length,
    workers: workers.length,
    seconds: total(workers.map(({ seconds }) => seconds ?? 0)),
    usd: roundUsd(total(workers.map(({ usd }) => usd ?? 0))) ?? 0,
    unreported: workers.filter(({ usd }) => usd === null).length,
    tokens: sumTokens(all)[0] ?? { model: 'all', input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    rounds: total(costs.map(({ judge }) => judge.rounds)),
  }
}

// --- in words ---

export function printCost(cost: SessionCost): void {
  const { id, workers, orchestrator, judge } = cost
  print(formatTitle(id))
  const rows = workers.map(({ name, model, seconds, usd }) => [
    `  ${name}`,
    model,
    seconds === null ? 'not ended' : formatElapsed(seconds * 1000),
    formatDollars(usd),
  ])
  if (rows.length > 0) print(`\n${paint('bold', 'Workers')}\n${formatTable(rows)}`)
  print(`\n${paint('bold', 'Orchestrator')}  ${orchestrator.model}, dollars ${NOT_REPORTED}`)
  if (orchestrator.tokens === null) print('  its transcript is not where claude keeps it, so its tokens are not known')
  else print(formatTable([tokenHeadings, ...orchestrator.tokens.map(one => [`  ${one.model}`, ...formatTokens(one)])]))
  print(`\n${paint('bold', 'Judge')}  ${judge.model}, ${formatCount(judge.rounds, 'round')}, dollars ${NOT_REPORTED}`)
  const { usd, unreported } = sumCosts(id, [cost])
  const missing =
    unreported > 0
      ? `the orchestrator, the judge and ${formatCount(unreported, 'worker')}`
      : 'the orchestrator and the judge'
  print(`\n${paint('bold', 'Reported')}  ${formatDollars(usd)}, without ${missing}`)
}

function printCostTable(costs: SessionCost[], days: CostTotal[]): void {
  const row = (one: CostTotal, name: string, sessions = formatCount(one.sessions, 'session')) => [
    name,
    sessions,
    formatCount(one.workers, 'worker'),
    formatElapsed(one.seconds * 1000),
    formatReportedUsd(one),
    ...formatTokens(one.tokens),
    formatCount(one.rounds, 'round'),
  ]
  const rows = days.flatMap(day => [
    row(day, paint('bold', day.name)),
    ...costs
      .filter(cost => cost.day === day.name)
      .map(cost => row(sumCosts(cost.id, [cost]), paint('dim', `  ${cost.id}`), '')),
  ])
  const head = ['', '', '', 'at work', 'reported', ...tokenHeadings.slice(1), 'judged']
  const all = [head, ...rows, row(sumCosts('total', costs), paint('bold', 'total'))]
  const slim = all.map(cells => cells.filter((_, at) => !tokenHeadings.slice(3).includes(head[at] ?? '')))
  print(fitTable(measureTableWidth(all) > getTerminalWidth() ? slim : all, 0, shortenId)) // A narrow terminal goes without the caches.
  print()
  for (const line of foldText(COST_NOTE).split('\n')) print(paint('dim', line))
}

const COST_NOTE =
  'Dollars: of workers, as claude reported them. Tokens: of orchestrators. Nobody reports the dollars of orchestrators and judges.'

/** An id is known by its end. */
function shortenId(cell: string, width: number): string {
  return paint('dim', `  …${stripVTControlCharacters(cell).slice(3 - width)}`)
}

const NOT_REPORTED = 'not reported'
const tokenHeadings = ['', 'in', 'out', 'cache read', 'cache write']

function formatTokens({ input, output, cacheRead, cacheWrite }: TokenUsage): string[] {
  return [input, output, cacheRead, cacheWrite].map(number => number.toLocaleString('en-US'))
}

/** `$0.0048`, and of how many workers it is not known. */
function formatReportedUsd({ usd, workers, unreported }: CostTotal): string {
  if (workers === 0) return 'no worker'
  if (unreported === workers) return NOT_REPORTED
  return `${formatDollars(usd)}${unreported > 0 ? ` and ${unreported} ${NOT_REPORTED}` : ''}`
}

function formatDollars(usd: number | null): string {
  if (usd === null) return NOT_REPORTED
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`
}

/** To a millionth of a dollar: what lies below is the noise of adding fractions. */
function roundUsd(usd: number | null | undefined): number | null {
  return usd === undefined || usd === null ? null : Math.round(usd * 1e6) / 1e6
}

function formatCount(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
