import { z } from 'zod'
import { parseJson } from '#host/json.ts'
import { toOneLine } from '#host/text.ts'
import { parseRetryAfterMs, SECOND_MS } from '#host/time.ts'
import { JudgeError, type JudgeFailureKind } from './failure.ts'

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024

/**
 * Send one request. Redirects are not followed, because they would carry the key to another host. A response may have
 * 2 MiB. Every failure is a `JudgeError` that says what happened.
 */
export async function requestGemini(
  url: string | URL | Request,
  init: RequestInit | undefined,
  { key, model }: { key: string; model: string },
): Promise<Response> {
  let response: Response
  let body: string
  try {
    response = await fetch(url, { ...init, redirect: 'manual' })
    body = redactKey(await readBody(response), key)
  } catch (error) {
    if (error instanceof JudgeError) throw error
    if (init?.signal?.aborted) throw new JudgeError('the judge did not answer in time', 'unreachable')
    throw new JudgeError(`the judge cannot be reached: ${describeCause(error)}`, 'unreachable')
  }
  if (!response.ok) throw createHttpError(response, body, model)
  if (body.trim() === '') throw new JudgeError(`the judge's answer is empty (HTTP ${response.status})`, 'malformed')
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
    if (bytes > MAX_RESPONSE_BYTES) throw new JudgeError("the judge's answer is longer than 2 MiB", 'malformed')
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

type ErrorDetails = z.infer<typeof ErrorBody>['error']['details']

function createHttpError(response: Response, body: string, model: string): JudgeError {
  const parsed = ErrorBody.safeParse(parseJson(body)).data?.error
  const { message, status, details } = parsed ?? { message: body.slice(0, 1000), status: '', details: [] }
  const cause = toOneLine(`HTTP ${response.status} ${status}: ${message}`, 300)
  const fail = (reason: string, kind: JudgeFailureKind) => new JudgeError(`${reason}: ${cause}`, kind)
  const isKeyRejected = /API_KEY_INVALID|API key not valid|API key expired/i.test(body)
  if (response.status === 429 || response.status === 408 || response.status >= 500) {
    const isSpent = response.status === 429 && isQuotaSpent(message, details)
    const retryAfterMs = findRetryDelayMs(details, response.headers.get('retry-after'))
    return new JudgeError(
      `${isSpent ? `the quota of ${model} is used up` : 'the judge is not available'}: ${cause}`,
      isSpent ? 'quota spent' : 'overloaded',
      retryAfterMs === undefined ? {} : { retryAfterMs },
    )
  }
  if (response.status === 401 || isKeyRejected) return fail(`GEMINI_API_KEY is not accepted for ${model}`, 'bad key')
  if (response.status === 403) return fail(`GEMINI_API_KEY is not accepted for ${model}`, 'access denied')
  if (response.status === 404)
    return fail(`the model ${model} (JUDGE_MODEL) does not exist for this key`, 'model missing')
  if (response.status >= 400) return fail(`the judge ${model} rejects the request`, 'rejected')
  const reason = "the judge's address redirects to another one, which is not followed"
  return new JudgeError(`${reason}: HTTP ${response.status}`, 'rejected')
}

/**
 * Is it a quota that time alone restores, such as that of a day, and not the pace of a minute? Google names the quotas in
 * `QuotaFailure`, such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. Without it, the message must do.
 */
function isQuotaSpent(message: string, details: ErrorDetails): boolean {
  const failures = details.filter(detail => detail['@type'].endsWith('google.rpc.QuotaFailure'))
  const violations = failures.flatMap(({ violations }) => (Array.isArray(violations) ? violations : []))
  const texts = violations.length > 0 ? violations.map(violation => JSON.stringify(violation)) : [message]
  return texts.some(text => /quota/i.test(text) && !/per[ _]?(second|minute)/i.test(text))
}

/** The wait that the server asks for, in milliseconds: `RetryInfo` in the body (`12s`), or the header `Retry-After`. */
function findRetryDelayMs(details: ErrorDetails, header: string | null): number | undefined {
  const info = details.find(detail => detail['@type'].endsWith('google.rpc.RetryInfo'))
  const [, seconds] = /^(\d+(?:\.\d+)?)s?$/.exec(String(info?.['retryDelay'])) ?? []
  return seconds === undefined ? parseRetryAfterMs(header, Date.now()) : Number(seconds) * SECOND_MS
}

function describeCause(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return 'unknown'
  return 'code' in cause ? String(cause.code) : toOneLine(cause.message, 120)
}
