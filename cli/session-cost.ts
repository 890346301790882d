import { parseUsage } from '#host/claude/lines'
import { Tail } from '#host/tail.ts'
import type { Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { findTranscript } from './output/transcript.ts'

/** What a session has cost: as far as claude reported it, and estimated for workers that it has not reported. */
export interface SessionCost {
  id: string
  /** The day on which it was opened, in UTC: `2026-11-20`. */
  day: string
  workers: {
    name: string
    model: string
    /** Null while it runs. */
    seconds: number | null
    /** Null where nothing is known. */
    usd: number | null
    /** The part of it that dispatch has estimated: of a run that goes on, or that was cut off. */
    estimatedUsd: number
  }[]
  orchestrator: {
    model: string
    /** Null where there is no transcript. */
    tokens: TokenUsage[] | null
    /** Null where claude reported nothing. */
    usd: number | null
    /** A model whose price claude does not know: then the dollars are claude's guess. Null without one. */
    unpricedModel: string | null
  }
  judge: { model: string; rounds: number; usd: null }
}

/** Tokens that claude reported for one model. */
export interface TokenUsage {
  model: string
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

export function readCost(session: Session): SessionCost {
  const { id, manifest, paths } = session
  const { events } = readLog(paths.events)
  const ends = new Map(events.flatMap(event => (event.type === 'worker.ended' ? [[event.worker, event] as const] : [])))
  const { workers, orchestratorCost } = computeStatus(events)
  const transcript = findTranscript(session)
  return {
    id,
    day: manifest.openedAt.slice(0, 10),
    workers: workers.map(({ name, model, costUsd = null, estimatedUsd = 0, inFlightUsd }) => ({
      name,
      model,
      seconds: ends.get(name)?.seconds ?? null,
      usd: roundUsd(inFlightUsd === undefined ? costUsd : (costUsd ?? 0) + inFlightUsd),
      estimatedUsd: roundUsd(estimatedUsd + (inFlightUsd ?? 0)) ?? 0,
    })),
    orchestrator: {
      model: manifest.models.orchestrator,
      tokens: transcript === undefined ? null : countTokens(new Tail(transcript).readNewLines()),
      usd: roundUsd(orchestratorCost?.usd ?? null),
      unpricedModel: orchestratorCost?.unpricedModel ?? null,
    },
    judge: {
      model: manifest.models.judge,
      rounds: events.filter(event => event.type === 'judging.started').length,
      usd: null,
    },
  }
}

/** The tokens in these lines of a transcript, by model. An answer that spans several lines counts once. Pure. */
export function countTokens(lines: Iterable<string>): TokenUsage[] {
  const answers = new Map<string, TokenUsage>()
  for (const line of lines) {
    const usage = parseUsage(line)
    if (!usage) continue
    const { id, model, input, output, cacheRead, cacheWrite, longCacheWrite } = usage
    answers.set(id, { model, input, output, cacheRead, cacheWrite: cacheWrite + longCacheWrite })
  }
  return [...Map.groupBy(answers.values(), ({ model }) => model)]
    .map(([model, usages]) => addTokens(model, usages))
    .filter(({ input, output, cacheRead, cacheWrite }) => input + output + cacheRead + cacheWrite > 0)
}

/** One total for each day, in the order of the costs. Pure. */
export function sumByDay(costs: SessionCost[]): CostTotal[] {
  return [...Map.groupBy(costs, ({ day }) => day)].map(([day, same]) => sumCosts(day, same))
}

export type CostTotal = ReturnType<typeof sumCosts>

/** The sum of several costs. `usd` is what was reported, and `unreported` counts the agents without it. Pure. */
export function sumCosts(name: string, costs: SessionCost[]) {
  const workers = costs.flatMap(cost => cost.workers)
  const agents = [...workers, ...costs.map(cost => cost.orchestrator)]
  return {
    name,
    sessions: costs.length,
    workers: workers.length,
    seconds: sum(workers.map(({ seconds }) => seconds ?? 0)),
    usd: roundUsd(sum(agents.map(({ usd }) => usd ?? 0))) ?? 0,
    unreported: agents.filter(({ usd }) => usd === null).length,
    tokens: addTokens(
      'all',
      costs.flatMap(({ orchestrator }) => orchestrator.tokens ?? []),
    ),
    rounds: sum(costs.map(({ judge }) => judge.rounds)),
  }
}

// --- internal ---

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

function addTokens(model: string, usages: TokenUsage[]): TokenUsage {
  const add = (kind: Exclude<keyof TokenUsage, 'model'>) => sum(usages.map(usage => usage[kind]))
  return {
    model,
    input: add('input'),
    output: add('output'),
    cacheRead: add('cacheRead'),
    cacheWrite: add('cacheWrite'),
  }
}

/** To a millionth of a dollar: anything below is rounding noise. */
function roundUsd(usd: number | null): number | null {
  return usd === null ? null : Math.round(usd * 1e6) / 1e6
}
