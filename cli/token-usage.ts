import { z } from 'zod'
import { parseJson } from '#host/json.ts'

/** Tokens that claude reported for one model. */
export interface TokenUsage {
  model: string
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/** The tokens in these lines of a transcript, one entry a model. An answer that spans several lines counts once. */
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
  return sumTokens([...answers.values()])
}

/** The sums by model, without models that used no tokens. */
export function sumTokens(usages: TokenUsage[]): TokenUsage[] {
  const sums = new Map<string, TokenUsage>()
  for (const usage of usages) {
    const sum = sums.get(usage.model) ?? { model: usage.model, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    sums.set(usage.model, {
      model: usage.model,
      input: sum.input + usage.input,
      output: sum.output + usage.output,
      cacheRead: sum.cacheRead + usage.cacheRead,
      cacheWrite: sum.cacheWrite + usage.cacheWrite,
    })
  }
  return [...sums.values()].filter(
    ({ input, output, cacheRead, cacheWrite }) => input + output + cacheRead + cacheWrite,
  )
}

// --- internal ---

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
