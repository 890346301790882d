import { z } from 'zod'
import { parseJson } from '../../json.ts'

/** The tokens of one answer of a model. */
export interface AnswerUsage {
  /** The id of the answer. Claude writes a line for each part of it, and each has the same tokens. */
  id: string
  model: string
  input: number
  output: number
  cacheRead: number
  /** Written to the cache for five minutes, and for an hour. */
  cacheWrite: number
  longCacheWrite: number
}

/** The tokens in a line of a transcript; undefined for any other line. Pure. */
export function parseUsage(line: string): AnswerUsage | undefined {
  const message = line.includes('"usage"') ? Answer.safeParse(parseJson(line)).data?.message : undefined
  if (message === undefined) return undefined
  const { id, model, usage } = message
  const longCacheWrite = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0
  return {
    id,
    model,
    input: usage.input_tokens,
    output: usage.output_tokens,
    cacheRead: usage.cache_read_input_tokens,
    cacheWrite: Math.max(0, usage.cache_creation_input_tokens - longCacheWrite),
    longCacheWrite,
  }
}

/**
 * What these tokens cost at list prices, in dollars. Only for what claude has not reported itself: its own figure also has its small
 * requests and the prices that an administrator has set. A model without a family that is known here counts like Opus, as in
 * claude. Pure.
 */
export function estimateUsd(usage: AnswerUsage): number {
  const [, inputPrice, readPrice] = prices.find(([family]) => usage.model.includes(family)) ?? opusPrice
  const perMillion =
    usage.input * inputPrice +
    usage.output * inputPrice * 5 +
    usage.cacheRead * readPrice +
    usage.cacheWrite * inputPrice * 1.25 +
    usage.longCacheWrite * inputPrice * 2
  return perMillion / 1e6
}

// --- internal ---

/** Dollars for a million tokens of input, and of input from the cache, as claude 2.1.329 counts. `test/protocol/` compares. */
const opusPrice = ['opus', 4, 0.2] as const
const prices: readonly (readonly [family: string, inputPrice: number, readPrice: number])[] = [
  opusPrice,
  ['sonnet', 2, 0.1],
  ['haiku', 0.5, 0.05],
  ['fable', 8, 0.2],
]

/** An answer has far fewer. Larger numbers would not stay numbers when they are added up. */
const tokenCount = z.number().int().nonnegative().max(1e9).catch(0)

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
      cache_creation: z.looseObject({ ephemeral_1h_input_tokens: tokenCount }).optional().catch(undefined),
    }),
  }),
})
