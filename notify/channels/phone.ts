import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '#host/config'
import { toOneLine } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import { type FetchObservation, observeFetch } from './ntfy-fetch.ts'
import { describeNetworkError, parseRetryAfterMs, type SendResult } from './send-result.ts'
/** Where the phone listens. */
export type NtfySettings = Pick<Config, 'NTFY_SERVER' | 'NTFY_TOPIC' | 'NTFY_TOKEN'>

/**
 * Publish a notice to ntfy. Never rejects, and is over within `deadline` milliseconds, the request included. Of two with the
 * same `sequence` the second replaces the first, where server and app are new enough; others ignore it.
 */
export async function sendToPhone(
  notification: Notification,
  phone: NtfySettings,
  { deadline = 10_000, sequence }: { deadline?: number; sequence?: string } = {},
): Promise<SendResult> {
  const heard: FetchObservation = { signal: AbortSignal.timeout(deadline) }
  try {
    const { publish } = await import('ntfy') // Only when there is something to send: the runner stays small.
    const answer = Published.safeParse(
      await observeFetch(heard, () => publish(buildNtfyMessage(notification, phone, sequence))),
    )
    return answer.success
      ? { ...buildBaseResult(heard), ok: true, id: answer.data.id }
      : toFailedResult(heard, NOT_NTFY_MESSAGE)
  } catch (error) {
    return toFailedResult(heard, describeError(error, heard, deadline))
  }
}

/** The address of something on the user's server: its topic, and what is asked of it. */
export function buildNtfyUrl({ NTFY_SERVER, NTFY_TOPIC }: NtfySettings, below = ''): URL {
  return new URL(`${NTFY_TOPIC}${below}`, ensureTrailingSlash(NTFY_SERVER))
}

/** An ntfy server gives messages that are told apart by up to 64 letters, so a longer id goes as its hash. */
function computeSequenceId(id: string): string {
  return id.length <= 64 ? id : createHash('sha256').update(id).digest('hex')
}

/** What ntfy answers to a publish. Anything else came from somebody else: a captive portal also answers 200. */
const Published = z.looseObject({ id: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/) })

const NOT_NTFY_MESSAGE = 'the server did not answer as ntfy does'

function buildNtfyMessage(
  { title, body, priority, tags, click }: Notification,
  phone: NtfySettings,
  sequence: string | undefined,
) {
  const { NTFY_SERVER, NTFY_TOPIC, NTFY_TOKEN } = phone
  const page = click === undefined || isLoopback(click) ? undefined : new URL(click).href
  const asked = new URLSearchParams({
    ...(sequence === undefined ? {} : { 'sequence-id': computeSequenceId(sequence) }),
    ...(page === undefined ? {} : { click: page }),
  })
  return {
    server: ensureTrailingSlash(NTFY_SERVER),
    topic: asked.size === 0 ? NTFY_TOPIC : `${NTFY_TOPIC}?${asked}`, // The package has no other way for either.
    title: toOneLine(title, 200).replace(/[^\x20-\x7e]/gu, '?'),
    message: cleanBody(body),
    priority,
    tags,
    ...(page === undefined ? {} : { actions: [buildOpenAction(page)] }),
    ...(NTFY_TOKEN === '' ? {} : { authorization: { username: '', password: NTFY_TOKEN } }),
  }
}

/** Line by line free of what could act on a screen; 1,000 characters are never more than the 4,096 bytes of ntfy. */
function cleanBody(body: string): string {
  const clean = body.split('\n').map(line => toOneLine(line, 300))
  return [...clean.join('\n')].slice(0, 1000).join('')
}

/** A button on the notice, besides the tap. */
function buildOpenAction(page: string) {
  return { type: 'view', label: 'Open', url: page.replace(/[,;]/g, encodeURIComponent) } as const
}

/** With its slash, so that a server under a path keeps the path. */
function ensureTrailingSlash(server: string): string {
  return server.endsWith('/') ? server : `${server}/`
}

/** A page on this machine's loopback opens nothing on a phone, so it is no link there. */
function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(address).hostname)
}

function buildBaseResult({ status }: FetchObservation) {
  return { channel: 'phone', reason: '', ...(status === undefined ? {} : { status }) } as const
}

function toFailedResult(heard: FetchObservation, words: string): SendResult {
  const retryAfterMs = parseRetryAfterMs(heard.retryAfter, Date.now())
  const reason = heard.status === undefined ? words : `HTTP ${heard.status}: ${words}`
  return { ...buildBaseResult(heard), ok: false, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

function describeError(error: unknown, { status }: FetchObservation, deadline: number): string {
  if (error instanceof SyntaxError) return NOT_NTFY_MESSAGE
  if (status === undefined || status === 200) return describeNetworkError(error, deadline)
  if (status < 400) return 'it sends us elsewhere; NTFY_SERVER must name the place itself'
  const words = error instanceof Error ? error.message.replace(/^Error while publishing message: ?/, '') : ''
  return toOneLine(words || 'refused', 4000) // Cut short by whoever has looked for secrets in it.
}
