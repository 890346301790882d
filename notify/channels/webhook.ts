import type { Notification } from '../notification.ts'
import { describeNetworkError, parseRetryAfterMs, type SendResult } from './send-result.ts'

/** A notice as a webhook tells it. */
interface WebhookNotification {
  id: string
  /** A session's id, or `elsewhere`. */
  sessionId: string
  notification: Notification
  /** The state in words, without the session's name. */
  text: string
  at: string
}

/** POST a notice to the user's webhook. Never rejects; the address is a secret and stands in no answer. */
export async function postToWebhook(
  posted: WebhookNotification,
  address: string,
  deadline = 10_000,
): Promise<SendResult> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(buildWebhookBody(address, posted)),
      redirect: 'manual',
      signal: AbortSignal.timeout(deadline),
    })
    await response.body?.cancel()
    return toSendResult(response)
  } catch (error) {
    return { channel: 'webhook', ok: false, reason: describeNetworkError(error, deadline) }
  }
}

/** What is posted: Slack and Discord want their own shape, all others get every part by its name. Pure. */
export function buildWebhookBody(
  address: string,
  { id, sessionId, notification, text, at }: WebhookNotification,
): Record<string, unknown> {
  const { title, body, priority, click } = notification
  const said = [title, body, ...(click === undefined ? [] : [click])].join('\n')
  const { hostname } = new URL(address)
  if (hostname === 'hooks.slack.com') return { text: said.replace(/[&<>]/g, sign => slackEscapes[sign] ?? sign) }
  if (/(^|\.)discord(app)?\.com$/.test(hostname)) return { content: said, allowed_mentions: { parse: [] } }
  return { id, session: sessionId, title, body, text, priority, at, click: click ?? null }
}

/** Slack reads `<!channel>` as a call to everybody. */
const slackEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function toSendResult({ ok, status, headers }: Response): SendResult {
  if (ok) return { channel: 'webhook', ok, reason: '', status }
  const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'), Date.now())
  const reason = status < 400 ? `HTTP ${status}: it sends us elsewhere` : `HTTP ${status}`
  return { channel: 'webhook', ok, reason, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}
