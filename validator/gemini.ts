import { setTimeout as sleep } from 'node:timers/promises'
import { GoogleGenAI } from '@google/genai'
import { z } from 'zod'
import { type Config, type Exit, exits, oneLine } from '../host/index.ts'
import { exchange, Failure, withoutKey } from './exchange.ts'

/** The settings that the judge needs. */
export type JudgeConfig = Pick<
  Config,
  'GEMINI_API_KEY' | 'GOOGLE_GEMINI_BASE_URL' | 'JUDGE_MODEL' | 'JUDGE_TIMEOUT_SEC'
>

/** One question to the judge. `pause` is the wait in milliseconds before the second try; it doubles from then on. */
interface Question {
  packet: string
  system: string
  schema: Record<string, unknown>
  config: JudgeConfig
  pause?: number
}

/** What the model said, or why it said nothing that counts. `exit` is set when a person has to fix something. */
export type Answer =
  | { ok: true; text: string; model: string; milliseconds: number; usage?: { sent: number; received: number } }
  | { ok: false; why: string; retryable: boolean; exit?: Exit }

/**
 * Ask Gemini once, with up to four tries within `JUDGE_TIMEOUT_SEC`. Never throws for what the other side does; the key
 * never stands in the answer.
 */
export async function askGemini(question: Question): Promise<Answer> {
  const { config, pause = 1000 } = question
  const why = keyProblem(config.GEMINI_API_KEY)
  if (why !== undefined) return { ok: false, why, retryable: false, exit: exits.login }
  const started = performance.now()
  const whole = config.JUDGE_TIMEOUT_SEC * 1000
  for (let tries = 1; ; tries++) {
    const left = whole - (performance.now() - started)
    const tried = await tryOnce(question, Math.min(left, whole / 2))
    if (tried.ok) return { ...tried, milliseconds: Math.round(performance.now() - started) }
    const { failure } = tried
    const wait = failure.wait ?? pause * 2 ** (tries - 1)
    const isLate = performance.now() - started + wait >= whole
    if (failure.retryable && tries < mostTries && !isLate) await sleep(wait)
    else return refusal(failure, tries)
  }
}

/** The smallest question there is: it shows that key, model and address are right, and costs a few tokens. */
export function askOneWord(config: JudgeConfig): Promise<Answer> {
  const schema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] }
  return askGemini({ packet: 'Say hello.', system: 'Answer with one word.', schema, config })
}

// --- one try ---

const mostTries = 4
const home = 'https://generativelanguage.googleapis.com'

type Tried = (Answer & { ok: true }) | { ok: false; failure: Failure }

async function tryOnce({ packet, system, schema, config }: Question, limit: number): Promise<Tried> {
  try {
    const response = await clientFor(config).models.generateContent({
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
        abortSignal: AbortSignal.timeout(Math.max(1, Math.round(limit))),
      },
    })
    return { ...readAnswer(response, config), ok: true }
  } catch (error) {
    if (error instanceof Failure) return { ok: false, failure: error }
    const what = oneLine(withoutKey(String(error), config.GEMINI_API_KEY), 120)
    return { ok: false, failure: new Failure(`the judge does not answer as Gemini does: ${what}`) }
  }
}

/** A client that takes nothing from the environment: no other key, address or cloud than the ones in `config`. */
function clientFor(config: JudgeConfig): GoogleGenAI {
  return new GoogleGenAI({
    enterprise: false,
    apiKey: config.GEMINI_API_KEY,
    apiVersion: 'v1beta',
    httpOptions: {
      baseUrl: config.GOOGLE_GEMINI_BASE_URL || home,
      fetch: (url, init) => exchange(url, init, config),
    },
  })
}

const Part = z.looseObject({ text: z.string().optional(), thought: z.boolean().optional() })

const Response200 = z.object({
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

/** The text of a response that came to its proper end. */
function readAnswer(response: unknown, config: JudgeConfig): Omit<Answer & { ok: true }, 'ok'> {
  const { promptFeedback, candidates, modelVersion, usageMetadata } = Response200.parse(response)
  if (promptFeedback?.blockReason)
    throw new Failure(`the judge was blocked: ${oneLine(promptFeedback.blockReason, 40)}`)
  const [candidate, ...others] = candidates ?? []
  if (candidate === undefined) throw new Failure('the judge gave no answer: no candidates')
  if (others.length > 0) throw new Failure('the judge gave more than one answer')
  if (candidate.finishReason !== 'STOP')
    throw new Failure(`the judge did not finish: ${oneLine(candidate.finishReason ?? 'no finishReason', 40)}`)
  const spoken = (candidate.content?.parts ?? []).filter(part => !part.thought)
  if (spoken.some(part => part.text === undefined))
    throw new Failure('the judge answers with something other than text')
  const text = spoken.map(part => part.text).join('')
  if (text.trim() === '') throw new Failure("the judge's answer has no text")
  const sent = usageMetadata?.promptTokenCount
  const total = usageMetadata?.totalTokenCount
  return {
    text,
    model: oneLine(modelVersion || config.JUDGE_MODEL, 80),
    milliseconds: 0,
    ...(sent === undefined || total === undefined ? {} : { usage: { sent, received: total - sent } }),
  }
}

// --- the key, and the last word ---

function keyProblem(key: string): string | undefined {
  if (key === '') return 'GEMINI_API_KEY is not set'
  return /^[\x21-\x7e]+$/.test(key) ? undefined : 'GEMINI_API_KEY holds a character that no key has'
}

function refusal({ message, retryable, exit }: Failure, tries: number): Answer {
  const after = tries > 1 ? ` (tried ${tries} times)` : ''
  return { ok: false, why: message + after, retryable, ...(exit === undefined ? {} : { exit }) }
}
