import { z } from 'zod'
import type { Config } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { parseJson } from '#host/json.ts'
import { toOneLine } from '#host/text.ts'

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024

interface GeminiErrorDetails {
  /** Another attempt may succeed. */
  retryable?: true
  /** How long the server asks to wait. */
  retryAfterMs?: number | undefined
  /** Set when a person has to fix it. */
  exit?: ExitCode
}

/** Why an attempt failed. */
export class GeminiError extends Error {
  readonly details: GeminiErrorDetails

  constructor(message: string, details: GeminiErrorDetails = {}) {
    super(message)
    this.details = details
  }
}

/**
 * Send one request. Redirects are not followed, because they would carry the key to another host. A response may have
 * 2 MiB. Every failure is a `GeminiError` that says what happened.
 */
export async function requestGemini(
  url: string | URL | Request,
  init: RequestInit | undefined,
  config: Pick<Config, 'GEMINI_API_KEY' | 'JUDGE_MODEL'>,
): Promise<Response> {
  let response: Response
  let body: string
  try {
    response = await fetch(url, { ...init, redirect: 'manual' })
    body = redactKey(await readBody(response), config.GEMINI_API_KEY)
  } catch (error) {
    if (error instanceof GeminiError) throw error
    if (init?.signal?.aborted) throw new GeminiError('the judge did not answer in time', { retryable: true })
    throw new GeminiError(`the judge cannot be reached: ${describeCause(error)}`, { retryable: true })
  }
  if (!response.ok) throw createGeminiError(response, body, config.JUDGE_MODEL)
  if (body.trim() === '') throw new GeminiError(`the judge's answer is empty (HTTP ${response.status})`)
  return new Response(body, { status: 200, headers: { 'content-type': 'application/json' } })
}

/** The text without the key, which a server may echo. */
export function redactKey(text: string, key: string): string {
  return key.length < 8 ? text : text.replaceAll(key, '[GEMINI_API_KEY]')
}

// --- internal ---

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_RESPONSE_BYTES) throw new GeminiError("the judge's answer is longer than 2 MiB")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const ErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    status: z.string().default(''),
    details: z.array(z.looseObject({ '@type': z.string().default('') })).default([]),
  }),
})

function createGeminiError(response: Response, body: string, model: string): GeminiError {
  const parsed = ErrorBody.safeParse(parseJson(body)).data?.error
  const { message, status, details } = parsed ?? { message: body.slice(0, 1000), status: '', details: [] }
  const cause = toOneLine(`HTTP ${response.status} ${status}: ${message}`, 300)
  const isKeyRejected = /API_KEY_INVALID|API key not valid|API key expired/i.test(body)
  if (response.status === 429 || response.status === 408 || response.status >= 500) {
    const retryAfterMs = parseRetryDelayMs(details, response.headers.get('retry-after'))
    return new GeminiError(`the judge is not available: ${cause}`, { retryable: true, retryAfterMs })
  }
  if (response.status === 401 || response.status === 403 || isKeyRejected)
    return new GeminiError(`GEMINI_API_KEY is not accepted for ${model}: ${cause}`, { exit: exitCodes.login })
  if (response.status === 404)
    return new GeminiError(`the model ${model} (JUDGE_MODEL) does not exist: ${cause}`, { exit: exitCodes.dependency })
  if (response.status < 400)
    return new GeminiError(
      `the judge's address redirects to another one, which is not followed: HTTP ${response.status}`,
    )
  return new GeminiError(`the judge ${model} rejects the request: ${cause}`, { exit: exitCodes.dependency })
}

/** The wait that the server asks for, in milliseconds: `RetryInfo` in the body (`12s`), or `Retry-After` in seconds. */
function parseRetryDelayMs(
  details: { '@type': string; retryDelay?: unknown }[],
  header: string | null,
): number | undefined {
  const info = details.find(detail => detail['@type'].endsWith('google.rpc.RetryInfo'))
  const [, seconds] = /^(\d+(?:\.\d+)?)s?$/.exec(String(info?.retryDelay ?? header ?? '').trim()) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

function describeCause(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return 'unknown'
  return 'code' in cause ? String(cause.code) : toOneLine(cause.message, 120)
}
