import type { Channel } from '../outbox.ts'
/** What became of a notice on one channel. `why` is empty when it was taken; it holds neither topic nor token nor address. */
export interface SendResult {
  channel: Channel
  ok: boolean
  reason: string
  /** The server's HTTP status, when it answered at all. */
  status?: number
  /** Milliseconds after which the server wants to be asked again. */
  retryAfterMs?: number
  /** The same will be said of every other attempt. */
  isPermanent?: true
  /** The number under which an ntfy server keeps it. */
  id?: string
}

/**
 * What an attempt comes to: `sent`; `busy`, the server wants us slower; `unreachable`, it may go well later; `refused`,
 * it will not as it is. A redirect is somebody else's page (a login at an airport), so it may go well later. Pure.
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

/** Milliseconds in a Retry-After, which counts seconds or names a date; undefined when it reads as neither. Pure. */
export function parseRetryAfterMs(retryAfter: string | null | undefined, now: number): number | undefined {
  if (retryAfter == null) return undefined
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1000
  const date = Date.parse(retryAfter)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** A failure of fetch in words: the code of its cause, never its message, which may hold the address. */
export function describeNetworkError(error: unknown, deadline: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${deadline / 1000} s`
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const why = cause instanceof Error && cause.message === 'bad port' ? cause.message : code // Such as 6000, which fetch refuses.
  return why === '' ? 'the server cannot be reached' : `the server cannot be reached (${why})`
}
