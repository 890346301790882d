import { z } from 'zod'
import { parseJson } from '#host/json.ts'
import { Tail } from '#host/tail.ts'
import type { Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { findTranscript } from './output/transcript.ts'

/** What a session has cost, as far as claude reported it. Dispatch estimates nothing. */
export interface SessionCost {
  id: string
  /** The day on which it was opened, in UTC: `2026-11-20`. */
  day: string
  workers: {
    name: string
    model: string
    /** Null while it runs. */
    seconds: number | null
    /** Null where claude reported nothing. */
    usd: number | null
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
    workers: workers.map(({ name, model, costUsd }) => ({
      name,
      model,
      seconds: ends.get(name)?.seconds ?? null,
      usd: roundUsd(costUsd ?? null),
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
    const answer = line.includes('"usage"') ? Answer.safeParse(parseJson(line)).data : undefined
    if (!answer) continue
    const { id, model, usage } = answer.message
    answers.set(id, {
      model,
      input: usage.input_tokens,
      output: usage.output_tokens,
      cacheRead: usage.cache_read_input_tokens,
      cacheWrite: usage.cache_creation_input_tokens,
    })
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

const tokenCount = z.number().int().nonnegative().catch(0)

const Answer = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({
    id: z.string(),
    model: z.string(),
    usage: z.looseObject({
      input_tokens: tokenCount,
      output_tokens: tokenCount,
      cache_read_input_tokens: tokenCount,
      cache_creation_input_tokens: tokenCount,
    }),
  }),
})
