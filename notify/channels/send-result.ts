import { parseRetryAfterMs } from '#host/time.ts'

/** The result of one attempt to send. It has neither topic nor token nor address. */
export interface SendResult {
  ok: boolean
  /** Why it failed; empty if it did not. */
  reason: string
  /** The HTTP status, if a server answered. */
  status?: number | undefined
  /** How long the server asks to wait. */
  retryAfterMs?: number
  /** Every other attempt would fail in the same way. */
  isPermanent?: true | undefined
  /** The id under which ntfy stores the message. */
  id?: string
}

/**
 * Classify a result: `sent`; `busy`, the server asks to slow down; `unreachable`, a later attempt may succeed; `refused`, it
 * will not succeed in this form. A redirect is often a captive portal, so a later attempt may succeed. Pure.
 */
export function classifySendResult({
  ok,
  status,
  isPermanent,
}: SendResult): 'sent' | 'busy' | 'unreachable' | 'refused' {
  if (ok) return 'sent'
  if (isPermanent) return 'refused'
  if (status === 429) return 'busy'
  if (status === undefined || status < 400 || status >= 500 || status === 408 || status === 425) return 'unreachable'
  return 'refused'
}

/** The result of an attempt that a server refused. `description` is empty when the status says it all. */
export function createRefusedResult({ status, headers }: Response, description: string): SendResult {
  const reason = description === '' ? `HTTP ${status}` : `HTTP ${status}: ${description}`
  const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'), Date.now())
  return { ok: false, reason, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** Describe why fetch failed: by the code of the cause, never by its message, which may contain the address. */
export function describeNetworkError(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${timeoutMs / 1000} s`
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  // fetch refuses some ports, such as 6000, without a code.
  const detail = cause instanceof Error && cause.message === 'bad port' ? cause.message : code
  return detail === '' ? 'the server cannot be reached' : `the server cannot be reached (${detail})`
}
