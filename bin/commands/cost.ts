import { stripVTControlCharacters } from 'node:util'
import { exits } from '../../host/index.ts'
import { listSessions, readLog, type Session, statusOf } from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand, folded } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { Tail } from '../tail.ts'
import { clock, columns, fitted, paint, print, table, title, widest } from '../terminal.ts'
import { addTokens, type Tokens, tokensIn, transcriptOf } from '../transcript.ts'

export const command = defineCommand({
  about: `
What a session has cost, as far as anybody said so: of each worker its model, its time and the dollars that claude reported;
of the orchestrator the tokens that stand in its transcript, by model; how often the judge was asked. Dollars that nobody
reported are not estimated. Without an id: every session, added up by the day it was opened (UTC, as in its id).
`,
  options: { json: { type: 'boolean', about: 'one JSON object on standard output instead of words' } },
  async run(values, words) {
    const config = lenientConfig()
    if (words[0] !== undefined) {
      const cost = costOf(chosen(config, words[0]))
      if (values.json) print(JSON.stringify(cost))
      else printOne(cost)
      return exits.ok
    }
    const costs = listSessions(config.workspace).map(costOf)
    const days = byDay(costs)
    if (values.json) print(JSON.stringify({ days, total: sum('total', costs), sessions: costs }))
    else if (costs.length === 0) print('No session yet.')
    else printAll(costs, days)
    return exits.ok
  },
})

export interface Cost {
  id: string
  day: string
  workers: WorkerCost[]
  orchestrator: {
    model: string
    /** Null where no transcript could be found. */
    tokens: Tokens[] | null
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
interface Sum {
  name: string
  sessions: number
  workers: number
  seconds: number
  /** What was reported. */
  usd: number
  /** Workers of which no dollars were reported. */
  unreported: number
  tokens: Tokens
  rounds: number
}

export function costOf(session: Session): Cost {
  const { events } = readLog(session.paths.events)
  const status = statusOf(events)
  const ends = new Map(events.flatMap(event => (event.is === 'worker.ended' ? [[event.worker, event] as const] : [])))
  const transcript = transcriptOf(session)
  return {
    id: session.id,
    day: session.opening.openedAt.slice(0, 10),
    workers: status.workers.map(({ name, model }) => ({
      name,
      model,
      seconds: ends.get(name)?.seconds ?? null,
      usd: rounded(ends.get(name)?.costUsd),
    })),
    orchestrator: {
      model: session.opening.models.orchestrator,
      tokens: transcript === undefined ? null : tokensIn(new Tail(transcript).fresh()),
      usd: null,
    },
    judge: {
      model: session.opening.models.judge,
      rounds: events.filter(event => event.is === 'judging.started').length,
      usd: null,
    },
  }
}

function byDay(costs: Cost[]): Sum[] {
  const days = new Set(costs.map(({ day }) => day))
  return [...days].map(day =>
    sum(
      day,
      costs.filter(cost => cost.day === day),
    ),
  )
}

function sum(name: string, costs: Cost[]): Sum {
  const workers = costs.flatMap(cost => cost.workers)
  const total = (numbers: number[]) => numbers.reduce((before, number) => before + number, 0)
  const all = costs.flatMap(({ orchestrator }) => orchestrator.tokens ?? []).map(one => ({ ...one, model: 'all' }))
  return {
    name,
    sessions: costs.length,
    workers: workers.length,
    seconds: total(workers.map(({ seconds }) => seconds ?? 0)),
    usd: rounded(total(workers.map(({ usd }) => usd ?? 0))) ?? 0,
    unreported: workers.filter(({ usd }) => usd === null).length,
    tokens: addTokens(all)[0] ?? { model: 'all', input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    rounds: total(costs.map(({ judge }) => judge.rounds)),
  }
}

// --- in words ---

export function printOne(cost: Cost): void {
  const { id, workers, orchestrator, judge } = cost
  print(title(id))
  const rows = workers.map(({ name, model, seconds, usd }) => [
    `  ${name}`,
    model,
    seconds === null ? 'not ended' : clock(seconds * 1000),
    dollars(usd),
  ])
  if (rows.length > 0) print(`\n${paint('bold', 'Workers')}\n${table(rows)}`)
  print(`\n${paint('bold', 'Orchestrator')}  ${orchestrator.model}, dollars ${unknown}`)
  if (orchestrator.tokens === null) print('  its transcript is not where claude keeps it, so its tokens are not known')
  else print(table([heads, ...orchestrator.tokens.map(one => [`  ${one.model}`, ...figures(one)])]))
  print(`\n${paint('bold', 'Judge')}  ${judge.model}, ${count(judge.rounds, 'round')}, dollars ${unknown}`)
  const { usd, unreported } = sum(id, [cost])
  const missing =
    unreported > 0 ? `the orchestrator, the judge and ${count(unreported, 'worker')}` : 'the orchestrator and the judge'
  print(`\n${paint('bold', 'Reported')}  ${dollars(usd)}, without ${missing}`)
}

function printAll(costs: Cost[], days: Sum[]): void {
  const row = (one: Sum, name: string, sessions = count(one.sessions, 'session')) => [
    name,
    sessions,
    count(one.workers, 'worker'),
    clock(one.seconds * 1000),
    reported(one),
    ...figures(one.tokens),
    count(one.rounds, 'round'),
  ]
  const rows = days.flatMap(day => [
    row(day, paint('bold', day.name)),
    ...costs
      .filter(cost => cost.day === day.name)
      .map(cost => row(sum(cost.id, [cost]), paint('dim', `  ${cost.id}`), '')),
  ])
  const head = ['', '', '', 'at work', 'reported', ...heads.slice(1), 'judged']
  const all = [head, ...rows, row(sum('total', costs), paint('bold', 'total'))]
  const slim = all.map(cells => cells.filter((_, at) => !heads.slice(3).includes(head[at] ?? '')))
  print(fitted(widest(all) > columns() ? slim : all, 0, lastLetters)) // A narrow terminal goes without the caches.
  print()
  for (const line of folded(remark).split('\n')) print(paint('dim', line))
}

const remark =
  'Dollars: of workers, as claude reported them. Tokens: of orchestrators. Nobody reports the dollars of orchestrators and judges.'

/** An id is known by its end. */
function lastLetters(cell: string, width: number): string {
  return paint('dim', `  …${stripVTControlCharacters(cell).slice(3 - width)}`)
}

const unknown = 'not reported'
const heads = ['', 'in', 'out', 'cache read', 'cache write']

function figures({ input, output, cacheRead, cacheWrite }: Tokens): string[] {
  return [input, output, cacheRead, cacheWrite].map(number => number.toLocaleString('en-US'))
}

/** `$0.0048`, and of how many workers it is not known. */
function reported({ usd, workers, unreported }: Sum): string {
  if (workers === 0) return 'no worker'
  if (unreported === workers) return unknown
  return `${dollars(usd)}${unreported > 0 ? ` and ${unreported} ${unknown}` : ''}`
}

function dollars(usd: number | null): string {
  if (usd === null) return unknown
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`
}

/** To a millionth of a dollar: what lies below is the noise of adding fractions. */
function rounded(usd: number | null | undefined): number | null {
  return usd === undefined || usd === null ? null : Math.round(usd * 1e6) / 1e6
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
