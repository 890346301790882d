import { z } from 'zod'
import type { Config } from '#host/config'
import { sha256 } from '#host/hash.ts'
import { toOneLine } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import { type FetchObservation, observeFetch } from './ntfy-fetch.ts'
import { createRefusedResult, describeNetworkError, type SendResult } from './send-result.ts'

/** Server, topic and token of ntfy. */
export type NtfySettings = Pick<Config, 'NTFY_SERVER' | 'NTFY_TOPIC' | 'NTFY_TOKEN'>

/**
 * Publish a notification to ntfy. Never rejects, and ends within `timeoutMs`. A second message with the same `sequenceId`
 * replaces the first one if server and app support that; older ones show both.
 */
export async function sendToPhone(
  notification: Notification,
  settings: NtfySettings,
  { timeoutMs = 10_000, sequenceId }: { timeoutMs?: number; sequenceId?: string } = {},
): Promise<SendResult> {
  const observation: FetchObservation = { signal: AbortSignal.timeout(timeoutMs) }
  try {
    const { publish } = await import('ntfy') // Loaded only to send, so that a runner stays small.
    const message = buildNtfyMessage(notification, settings, sequenceId)
    const answer = PublishAnswer.safeParse(await observeFetch(observation, () => publish(message)))
    if (!answer.success) return toFailedResult(observation, NOT_NTFY_REASON)
    return { ok: true, reason: '', id: answer.data.id, status: observation.response?.status }
  } catch (error) {
    return toFailedResult(observation, describeError(error, observation, timeoutMs))
  }
}

/** The URL of the topic, with `suffix` behind it. */
export function buildNtfyUrl({ NTFY_SERVER, NTFY_TOPIC }: NtfySettings, suffix = ''): URL {
  return new URL(`${NTFY_TOPIC}${suffix}`, ensureTrailingSlash(NTFY_SERVER))
}

// --- internal ---

/** What ntfy answers. Anything else is not ntfy: a captive portal also answers 200. */
const PublishAnswer = z.looseObject({ id: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/) })

const NOT_NTFY_REASON = 'the answer does not come from an ntfy server'

/** The most that ntfy takes. A longer id is sent as its hash. */
const MAX_SEQUENCE_ID_CHARS = 64
/** A phone cannot open a page on this machine's loopback. */
const loopbackHost = /^(localhost|127(\.\d+){3}|\[::1\])$/

const MAX_BODY_CHARS = 1000
const MAX_REASON_CHARS = 4000

function buildNtfyMessage(
  { title, body, priority, tags, click }: Notification,
  { NTFY_SERVER, NTFY_TOPIC, NTFY_TOKEN }: NtfySettings,
  sequenceId: string | undefined,
) {
  const address = click === undefined ? undefined : new URL(click)
  const page = address && !loopbackHost.test(address.hostname) ? address.href : undefined
  const query = new URLSearchParams(page === undefined ? {} : { click: page })
  if (sequenceId !== undefined)
    query.set('sequence-id', sequenceId.length <= MAX_SEQUENCE_ID_CHARS ? sequenceId : sha256(sequenceId))
  return {
    server: ensureTrailingSlash(NTFY_SERVER),
    topic: query.size === 0 ? NTFY_TOPIC : `${NTFY_TOPIC}?${query}`, // The package has no option for either.
    title: toOneLine(title, 200).replace(/[^\x20-\x7e]/gu, '?'),
    message: cleanBody(body),
    priority,
    tags,
    ...(page === undefined ? {} : { actions: [buildOpenAction(page)] }),
    ...(NTFY_TOKEN === '' ? {} : { authorization: { username: '', password: NTFY_TOKEN } }),
  }
}

/** Sanitized line by line. 1,000 characters always fit into ntfy's 4,096 bytes. */
function cleanBody(body: string): string {
  const lines = body.split('\n').map(line => toOneLine(line, 300))
  return [...lines.join('\n')].slice(0, MAX_BODY_CHARS).join('')
}

/** A button, besides the tap on the notification. */
function buildOpenAction(page: string) {
  return { type: 'view', label: 'Open', url: page.replace(/[,;]/g, encodeURIComponent) } as const
}

/** Without the slash, a server under a path would lose its path. */
function ensureTrailingSlash(server: string): string {
  return server.endsWith('/') ? server : `${server}/`
}

function toFailedResult({ response }: FetchObservation, description: string): SendResult {
  return response ? createRefusedResult(response, description) : { ok: false, reason: description }
}

function describeError(error: unknown, { response }: FetchObservation, timeoutMs: number): string {
  const status = response?.status
  if (error instanceof SyntaxError) return NOT_NTFY_REASON
  if (status === undefined || status === 200) return describeNetworkError(error, timeoutMs)
  if (status < 400) return 'the server redirects; set NTFY_SERVER to the final address'
  const message = error instanceof Error ? error.message.replace(/^Error while publishing message: ?/, '') : ''
  return toOneLine(message || 'refused', MAX_REASON_CHARS) // `sendNotification` redacts it, then cuts it.
}
