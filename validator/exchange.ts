import { z } from 'zod'
import { type Config, type Exit, exits, oneLine } from '../host/index.ts'

/** Why a try came to nothing; `wait` is how long the other side asks us to wait, in milliseconds. */
export class Failure extends Error {
  readonly retryable: boolean
  readonly exit: Exit | undefined
  readonly wait: number | undefined

  constructor(
    why: string,
    { retryable = false, exit, wait }: { retryable?: boolean; exit?: Exit; wait?: number } = {},
  ) {
    super(why)
    this.retryable = retryable
    this.exit = exit
    this.wait = wait
  }
}

/** One request: no redirect (it would carry the key elsewhere), no more than 2 MiB, and every failure named. */
export async function exchange(
  url: string | URL | Request,
  init: RequestInit | undefined,
  config: Pick<Config, 'GEMINI_API_KEY' | 'JUDGE_MODEL'>,
): Promise<Response> {
  let response: Response
  let body: string
  try {
    response = await fetch(url, { ...init, redirect: 'manual' })
    body = withoutKey(await readBody(response), config.GEMINI_API_KEY)
  } catch (error) {
    if (error instanceof Failure) throw error
    if (init?.signal?.aborted) throw new Failure('the judge does not answer in time', { retryable: true })
    throw new Failure(`the judge cannot be reached: ${causeOf(error)}`, { retryable: true })
  }
  if (!response.ok) throw failureFor(response, body, config.JUDGE_MODEL)
  if (body.trim() === '') throw new Failure(`the judge's answer is empty (HTTP ${response.status})`)
  return new Response(body, { status: 200, headers: { 'content-type': 'application/json' } })
}

/** A text in which the key cannot be read, whoever echoed it. */
export function withoutKey(text: string, key: string): string {
  return key.length < 8 ? text : text.replaceAll(key, '[GEMINI_API_KEY]')
}

// --- internal ---

const largest = 2 * 1024 * 1024

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > largest) throw new Failure("the judge's answer is longer than 2 MiB")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

// --- what a refusal means ---

const ErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    status: z.string().default(''),
    details: z.array(z.looseObject({ '@type': z.string().default('') })).default([]),
  }),
})

function failureFor(response: Response, body: string, model: string): Failure {
  const { message, status, details } = errorIn(body)
  const what = oneLine(`HTTP ${response.status} ${status}: ${message}`, 300)
  const isKey = /API_KEY_INVALID|API key not valid|API key expired/i.test(body)
  if (response.status === 429 || response.status === 408 || response.status >= 500) {
    const wait = waitIn(details, response.headers.get('retry-after'))
    return new Failure(`the judge is not available: ${what}`, {
      retryable: true,
      ...(wait === undefined ? {} : { wait }),
    })
  }
  if (response.status === 401 || response.status === 403 || isKey)
    return new Failure(`GEMINI_API_KEY is not accepted for ${model}: ${what}`, { exit: exits.login })
  if (response.status === 404)
    return new Failure(`the model ${model} (JUDGE_MODEL) is not there: ${what}`, { exit: exits.dependency })
  if (response.status < 400) return new Failure(`the judge's address sends us elsewhere: HTTP ${response.status}`)
  return new Failure(`the judge ${model} refuses the request: ${what}`, { exit: exits.dependency })
}

function errorIn(body: string): z.infer<typeof ErrorBody>['error'] {
  try {
    const parsed = ErrorBody.safeParse(JSON.parse(body))
    if (parsed.success) return parsed.data.error
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return { message: body.slice(0, 1000), status: '', details: [] }
}

/** `RetryInfo` in the body (`12s`), or the `Retry-After` header in seconds; in milliseconds. */
function waitIn(details: { '@type': string; retryDelay?: unknown }[], header: string | null): number | undefined {
  const info = details.find(detail => detail['@type'].endsWith('google.rpc.RetryInfo'))
  const [, seconds] = /^(\d+(?:\.\d+)?)s?$/.exec(String(info?.retryDelay ?? header ?? '').trim()) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return 'unknown'
  return 'code' in cause ? String(cause.code) : oneLine(cause.message, 120)
}
