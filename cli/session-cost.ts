import type { Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { Tail } from './output/tail.ts'
import { findTranscript } from './output/transcript.ts'
import { countTokens, sumTokens, type TokenUsage } from './token-usage.ts'

/** What a session has cost, as far as claude reported it. Nothing is estimated. */
export interface SessionCost {
  id: string
  /** The day on which it was opened, in UTC: `2026-11-20`. */
  day: string
  workers: WorkerCost[]
  orchestrator: {
    model: string
    /** Null where there is no transcript. */
    tokens: TokenUsage[] | null
    /** Claude reports dollars of a headless run only. */
    usd: null
  }
  judge: { model: string; rounds: number; usd: null }
}

interface WorkerCost {
  name: string
  model: string
  /** Null while it runs. */
  seconds: number | null
  /** Null where claude reported nothing. */
  usd: number | null
}

/** The sum of several costs. */
export interface CostTotal {
  name: string
  sessions: number
  workers: number
  seconds: number
  /** The dollars that were reported. */
  usd: number
  /** How many workers have no reported dollars. */
  unreported: number
  tokens: TokenUsage
  rounds: number
}

export function readCost(session: Session): SessionCost {
  const { id, manifest, paths } = session
  const { events } = readLog(paths.events)
  const ends = new Map(events.flatMap(event => (event.type === 'worker.ended' ? [[event.worker, event] as const] : [])))
  const transcript = findTranscript(session)
  return {
    id,
    day: manifest.openedAt.slice(0, 10),
    workers: computeStatus(events).workers.map(({ name, model }) => ({
      name,
      model,
      seconds: ends.get(name)?.seconds ?? null,
      usd: roundUsd(ends.get(name)?.costUsd),
    })),
    orchestrator: {
      model: manifest.models.orchestrator,
      tokens: transcript === undefined ? null : countTokens(new Tail(transcript).readNewLines()),
      usd: null,
    },
    judge: {
      model: manifest.models.judge,
      rounds: events.filter(event => event.type === 'judging.started').length,
      usd: null,
    },
  }
}

/** One total for each day, in the order of the costs. Pure. */
export function sumByDay(costs: SessionCost[]): CostTotal[] {
  const days = new Set(costs.map(({ day }) => day))
  return [...days].map(day =>
    sumCosts(
      day,
      costs.filter(cost => cost.day === day),
    ),
  )
}

/** Pure. */
export function sumCosts(name: string, costs: SessionCost[]): CostTotal {
  const workers = costs.flatMap(cost => cost.workers)
  const usages = costs.flatMap(({ orchestrator }) => orchestrator.tokens ?? [])
  const [tokens] = sumTokens(usages.map(usage => ({ ...usage, model: 'all' })))
  return {
    name,
    sessions: costs.length,
    workers: workers.length,
    seconds: sum(workers.map(({ seconds }) => seconds ?? 0)),
    usd: roundUsd(sum(workers.map(({ usd }) => usd ?? 0))) ?? 0,
    unreported: workers.filter(({ usd }) => usd === null).length,
    tokens: tokens ?? { model: 'all', input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    rounds: sum(costs.map(({ judge }) => judge.rounds)),
  }
}

// --- internal ---

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

/** To a millionth of a dollar: anything below is rounding noise. */
function roundUsd(usd: number | null | undefined): number | null {
  return usd === undefined || usd === null ? null : Math.round(usd * 1e6) / 1e6
}
