import { setTimeout as sleep } from 'node:timers/promises'
import { GoogleGenAI, type ThinkingConfig, ThinkingLevel } from '@google/genai'
import { z } from 'zod'
import type { Config } from '#host/config'
import { toOneLine } from '#host/text.ts'
import { fallsThrough, isRetried, JudgeError, type JudgeFailure, mayPass, toJudgeFailure } from './failure.ts'
import { redactKey, requestGemini } from './gemini-http.ts'
import { chooseParameters, type Effort, isSameModel, listJudgeModels, type ModelParameters } from './models.ts'

const FIRST_RETRY_DELAY_MS = 1000
const MAX_RETRY_DELAY_MS = 15_000
const MAX_REMARK_CHARS = 600
const defaultBaseUrl = 'https://generativelanguage.googleapis.com'

/** The settings that the judge needs. */
export type JudgeConfig = Pick<
  Config,
  'GEMINI_API_KEY' | 'GOOGLE_GEMINI_BASE_URL' | 'JUDGE_MODEL' | 'JUDGE_TIMEOUT_SEC'
>

/** One question to the judge. `retryDelayMs` is the wait before the second attempt; it doubles up to 15 seconds. */
interface JudgeQuestion<Reply> {
  packet: string
  system: string
  schema: Record<string, unknown>
  effort: Effort
  config: JudgeConfig
  /** Read the text of an answer. Throws `JudgeError` if it cannot be used. */
  read(text: string): Reply
  retryDelayMs?: number | undefined
}

/** What the model answered, or why there is no answer. */
export type GeminiAnswer<Reply> =
  | {
      ok: true
      reply: Reply
      /** The model that answered, as the vendor names it. */
      model: string
      /** Why it is not the model that `JUDGE_MODEL` names first. */
      remark?: string
      milliseconds: number
      usage?: { sent: number; received: number }
    }
  | JudgeFailure

/**
 * Ask Gemini one question, for as long as `JUDGE_TIMEOUT_SEC` lasts: again after a failure that may pass, and the next model
 * of `JUDGE_MODEL` where the key may not use the one before it. A failure of the vendor is a value, never an exception.
 * The answer never contains the key.
 */
export async function askGemini<Reply>(question: JudgeQuestion<Reply>): Promise<GeminiAnswer<Reply>> {
  const { config } = question
  const keyProblem = findKeyProblem(config.GEMINI_API_KEY)
  if (keyProblem !== undefined) return toJudgeFailure(new JudgeError(keyProblem, 'bad key'))
  const startedMs = performance.now()
  const deadlineMs = startedMs + config.JUDGE_TIMEOUT_SEC * 1000
  const failures: JudgeError[] = []
  const models = listJudgeModels(config.JUDGE_MODEL)
  for (const [index, model] of models.entries()) {
    try {
      const isLast = index === models.length - 1
      const { answered, ...answer } = await askModel(question, { model, deadlineMs, isLast })
      const remark = describeSwitch(failures, model, answered)
      const milliseconds = Math.round(performance.now() - startedMs)
      return { ok: true, ...answer, model: answered, ...(remark === undefined ? {} : { remark }), milliseconds }
    } catch (error) {
      const failure = toJudgeError(error, config)
      failures.push(failure)
      if (!fallsThrough(failure.kind)) break
    }
  }
  return combineFailures(failures)
}

/** The smallest question: it shows that key, model and address are right, and costs a few tokens. */
export function pingJudge(config: JudgeConfig): Promise<GeminiAnswer<string>> {
  const schema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] }
  const [packet, system] = ['Say hello.', 'Answer with one word.']
  return askGemini({ packet, system, schema, effort: 'greeting', config, read: text => text })
}

// --- one model ---

/** Ask one model until it answers, its failure is final or the time is over. Throws `JudgeError`. */
async function askModel<Reply>(
  question: JudgeQuestion<Reply>,
  { model, deadlineMs, isLast }: { model: string; deadlineMs: number; isLast: boolean },
) {
  let isLonger = false
  let reported: JudgeError | undefined // What the vendor itself said last.
  for (let attempts = 1; ; attempts++) {
    try {
      return await attemptOnce(question, { model, isLonger, timeoutMs: deadlineMs - performance.now() })
    } catch (error) {
      const attempt = toJudgeError(error, question.config)
      if (attempt.kind !== 'unreachable') reported = attempt
      // The end of the time has cut off the last attempt, which says less than the one before it.
      const failure = performance.now() >= deadlineMs ? (reported ?? attempt) : attempt
      const { kind, message, details } = failure
      // A quota may be another one than it looks like, so without a next model it is tried again as well.
      const waitMs = computeWaitMs(attempts, deadlineMs, question.retryDelayMs, details.retryAfterMs)
      if (kind === 'cut off' && !isLonger) isLonger = true
      else if ((isRetried(kind) || (kind === 'quota spent' && isLast)) && waitMs !== undefined) await sleep(waitMs)
      else throw attempts > 1 ? new JudgeError(`${message} (tried ${attempts} times)`, kind, details) : failure
    }
  }
}

/** How long to wait for the next attempt; undefined when no time is left for one. The last waits are shorter. */
function computeWaitMs(
  attempts: number,
  deadlineMs: number,
  firstMs = FIRST_RETRY_DELAY_MS,
  retryAfterMs = 0,
): number | undefined {
  const remainingMs = deadlineMs - performance.now()
  if (remainingMs <= Math.max(firstMs, retryAfterMs)) return undefined
  const backoffMs = Math.min(firstMs * 2 ** (attempts - 1), MAX_RETRY_DELAY_MS, remainingMs / 2)
  return Math.max(backoffMs, retryAfterMs)
}

async function attemptOnce<Reply>(
  { packet, system, schema, effort, config, read }: JudgeQuestion<Reply>,
  { model, isLonger, timeoutMs }: { model: string; isLonger: boolean; timeoutMs: number },
) {
  const { thinking, ...parameters } = chooseParameters(model, effort, isLonger)
  const response = await createClient(config, model).models.generateContent({
    model,
    contents: packet,
    config: {
      systemInstruction: system,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
      abortSignal: AbortSignal.timeout(Math.max(1, Math.round(timeoutMs))),
      store: false, // The vendor keeps no packet.
      ...parameters,
      ...(thinking === undefined ? {} : { thinkingConfig: buildThinkingConfig(thinking) }),
    },
  })
  const { text, ...answer } = parseAnswer(response, model)
  return { ...answer, reply: read(text) }
}

function buildThinkingConfig(thinking: NonNullable<ModelParameters['thinking']>): ThinkingConfig {
  return typeof thinking === 'number' ? { thinkingBudget: thinking } : { thinkingLevel: ThinkingLevel[thinking] }
}

/** A client that takes nothing from the environment: no other key, address or cloud than those in `config`. */
function createClient({ GEMINI_API_KEY: key, GOOGLE_GEMINI_BASE_URL }: JudgeConfig, model: string): GoogleGenAI {
  return new GoogleGenAI({
    enterprise: false,
    apiKey: key,
    apiVersion: 'v1beta',
    httpOptions: {
      baseUrl: GOOGLE_GEMINI_BASE_URL || defaultBaseUrl,
      fetch: (url, init) => requestGemini(url, init, { key, model }),
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

/** Ends that a filter of the vendor's decides. Asking again would be asking it to look away. */
const blockingEnds = ['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE']

/** The text of a response that is complete: one candidate, finished with STOP, text only. Throws `JudgeError`. */
function parseAnswer(response: unknown, model: string) {
  const { promptFeedback, candidates, modelVersion, usageMetadata } = GeminiResponse.parse(response)
  if (promptFeedback?.blockReason)
    throw new JudgeError(`the judge was blocked: ${toOneLine(promptFeedback.blockReason, 40)}`, 'blocked')
  const [candidate, ...others] = candidates ?? []
  if (candidate === undefined) throw new JudgeError('the judge gave no answer: no candidates', 'malformed')
  if (others.length > 0) throw new JudgeError('the judge gave more than one answer', 'malformed')
  const end = toOneLine(candidate.finishReason ?? 'no finishReason', 40)
  if (end !== 'STOP') {
    const kind = end === 'MAX_TOKENS' ? 'cut off' : blockingEnds.includes(end) ? 'blocked' : 'malformed'
    throw new JudgeError(`the judge did not finish: ${end}`, kind)
  }
  const parts = (candidate.content?.parts ?? []).filter(part => !part.thought)
  if (parts.some(part => part.text === undefined))
    throw new JudgeError('the judge answered with something other than text', 'malformed')
  const text = parts.map(part => part.text).join('')
  if (text.trim() === '') throw new JudgeError("the judge's answer has no text", 'malformed')
  const sent = usageMetadata?.promptTokenCount
  const total = usageMetadata?.totalTokenCount
  return {
    text,
    answered: toOneLine(modelVersion || model, 80).replace(/^models\//, ''),
    ...(sent === undefined || total === undefined ? {} : { usage: { sent, received: total - sent } }),
  }
}

// --- failures ---

function toJudgeError(error: unknown, { GEMINI_API_KEY }: JudgeConfig): JudgeError {
  if (error instanceof JudgeError) return error
  const cause = toOneLine(redactKey(String(error), GEMINI_API_KEY), 120)
  return new JudgeError(`the judge does not answer as Gemini does: ${cause}`, 'malformed')
}

/** One that may pass decides over those that a person must fix. Every model's failure is named. */
function combineFailures(failures: JudgeError[]): JudgeFailure {
  const decisive = failures.find(({ kind }) => mayPass(kind)) ?? failures.at(-1)
  if (decisive === undefined) return toJudgeFailure(new JudgeError('JUDGE_MODEL names no model', 'rejected'))
  const reason = failures.map(({ message }) => message).join('; ')
  return { ...toJudgeFailure(decisive), reason }
}

function describeSwitch(failures: JudgeError[], asked: string, answered: string): string | undefined {
  const switched = isSameModel(asked, answered) ? [] : [`${asked} was asked, and the vendor answered with ${answered}`]
  const reasons = [...failures.map(({ message }) => message), ...switched]
  return reasons.length === 0 ? undefined : toOneLine(reasons.join('; '), MAX_REMARK_CHARS)
}

function findKeyProblem(key: string): string | undefined {
  if (key === '') return 'GEMINI_API_KEY is not set'
  return /^[\x21-\x7e]+$/.test(key) ? undefined : 'GEMINI_API_KEY contains a character that no key has'
}
