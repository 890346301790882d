import { setTimeout as sleep } from 'node:timers/promises'
import { GoogleGenAI } from '@google/genai'
import { z } from 'zod'
import type { Config } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { toOneLine } from '#host/text.ts'
import { GeminiError, redactKey, requestGemini } from './gemini-http.ts'

const MAX_ATTEMPTS = 4
const DEFAULT_RETRY_DELAY_MS = 1000
const defaultBaseUrl = 'https://generativelanguage.googleapis.com'

/** The settings that the judge needs. */
export type JudgeConfig = Pick<
  Config,
  'GEMINI_API_KEY' | 'GOOGLE_GEMINI_BASE_URL' | 'JUDGE_MODEL' | 'JUDGE_TIMEOUT_SEC'
>

/** One question to the judge. `retryDelayMs` is the wait before the second attempt; it doubles each time. */
interface JudgeQuestion {
  packet: string
  system: string
  schema: Record<string, unknown>
  config: JudgeConfig
  retryDelayMs?: number | undefined
}

/** What the model answered, or why there is no answer. `exit` is set when a person has to fix something. */
export type GeminiAnswer =
  | { ok: true; text: string; model: string; milliseconds: number; usage?: { sent: number; received: number } }
  | { ok: false; reason: string; exit?: ExitCode }

/**
 * Ask Gemini one question, in up to four attempts within `JUDGE_TIMEOUT_SEC`. A failure of the other side is a value, never
 * an exception. The answer never contains the key.
 */
export async function askGemini(question: JudgeQuestion): Promise<GeminiAnswer> {
  const { config, retryDelayMs = DEFAULT_RETRY_DELAY_MS } = question
  const reason = findKeyProblem(config.GEMINI_API_KEY)
  if (reason !== undefined) return { ok: false, reason, exit: exitCodes.login }
  const startedMs = performance.now()
  const timeoutMs = config.JUDGE_TIMEOUT_SEC * 1000
  for (let attempts = 1; ; attempts++) {
    const remainingMs = timeoutMs - (performance.now() - startedMs)
    try {
      const answer = await attemptOnce(question, Math.min(remainingMs, timeoutMs / 2))
      return { ...answer, milliseconds: Math.round(performance.now() - startedMs) }
    } catch (error) {
      const { message, details } = toGeminiError(error, config)
      const waitMs = details.retryAfterMs ?? retryDelayMs * 2 ** (attempts - 1)
      const isTooLate = performance.now() - startedMs + waitMs >= timeoutMs
      if (!details.retryable || attempts === MAX_ATTEMPTS || isTooLate) {
        const suffix = attempts > 1 ? ` (tried ${attempts} times)` : ''
        return { ok: false, reason: message + suffix, ...(details.exit === undefined ? {} : { exit: details.exit }) }
      }
      await sleep(waitMs)
    }
  }
}

/** The smallest question: it shows that key, model and address are right, and costs a few tokens. */
export function pingJudge(config: JudgeConfig): Promise<GeminiAnswer> {
  const schema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] }
  return askGemini({ packet: 'Say hello.', system: 'Answer with one word.', schema, config })
}

// --- one attempt ---

async function attemptOnce({ packet, system, schema, config }: JudgeQuestion, timeoutMs: number) {
  const response = await createClient(config).models.generateContent({
    model: config.JUDGE_MODEL,
    contents: packet,
    config: {
      systemInstruction: system,
      temperature: 0,
      candidateCount: 1,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
      abortSignal: AbortSignal.timeout(Math.max(1, Math.round(timeoutMs))),
    },
  })
  return parseAnswer(response, config)
}

function toGeminiError(error: unknown, { GEMINI_API_KEY }: JudgeConfig): GeminiError {
  if (error instanceof GeminiError) return error
  const cause = toOneLine(redactKey(String(error), GEMINI_API_KEY), 120)
  return new GeminiError(`the judge does not answer as Gemini does: ${cause}`)
}

/** A client that takes nothing from the environment: no other key, address or cloud than those in `config`. */
function createClient(config: JudgeConfig): GoogleGenAI {
  return new GoogleGenAI({
    enterprise: false,
    apiKey: config.GEMINI_API_KEY,
    apiVersion: 'v1beta',
    httpOptions: {
      baseUrl: config.GOOGLE_GEMINI_BASE_URL || defaultBaseUrl,
      fetch: (url, init) => requestGemini(url, init, config),
    },
  })
}

const Part = z.looseObject({ text: z.string().optional(), thought: z.boolean().optional() })

const GeminiResponse = z.object({
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  candidates: z
    .array(
      z.object({
        finishReason: z.string().nullish(),
        content: z.object({ parts: z.array(Part).nullish() }).nullish(),
      }),
    )
    .nullish(),
  modelVersion: z.string().nullish(),
  usageMetadata: z
    .object({ promptTokenCount: z.number().optional(), totalTokenCount: z.number().optional() })
    .nullish(),
})

/** The text of a response that is complete: one candidate, finished with STOP, text only. Throws `GeminiError`. */
function parseAnswer(response: unknown, config: JudgeConfig): Omit<GeminiAnswer & { ok: true }, 'milliseconds'> {
  const { promptFeedback, candidates, modelVersion, usageMetadata } = GeminiResponse.parse(response)
  if (promptFeedback?.blockReason)
    throw new GeminiError(`the judge was blocked: ${toOneLine(promptFeedback.blockReason, 40)}`)
  const [candidate, ...others] = candidates ?? []
  if (candidate === undefined) throw new GeminiError('the judge gave no answer: no candidates')
  if (others.length > 0) throw new GeminiError('the judge gave more than one answer')
  if (candidate.finishReason !== 'STOP')
    throw new GeminiError(`the judge did not finish: ${toOneLine(candidate.finishReason ?? 'no finishReason', 40)}`)
  const parts = (candidate.content?.parts ?? []).filter(part => !part.thought)
  if (parts.some(part => part.text === undefined))
    throw new GeminiError('the judge answered with something other than text')
  const text = parts.map(part => part.text).join('')
  if (text.trim() === '') throw new GeminiError("the judge's answer has no text")
  const sent = usageMetadata?.promptTokenCount
  const total = usageMetadata?.totalTokenCount
  return {
    ok: true,
    text,
    model: toOneLine(modelVersion || config.JUDGE_MODEL, 80),
    ...(sent === undefined || total === undefined ? {} : { usage: { sent, received: total - sent } }),
  }
}

function findKeyProblem(key: string): string | undefined {
  if (key === '') return 'GEMINI_API_KEY is not set'
  return /^[\x21-\x7e]+$/.test(key) ? undefined : 'GEMINI_API_KEY contains a character that no key has'
}
