import type { OutgoingNotification } from '../outbox.ts'
import { createRefusedResult, describeNetworkError, type SendResult } from './send-result.ts'

/** POST a notification to the user's webhook. Never rejects. The address is a secret, so no result contains it. */
export async function postToWebhook(
  outgoing: OutgoingNotification,
  address: string,
  timeoutMs = 10_000,
): Promise<SendResult> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(buildWebhookBody(address, outgoing)),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    const { ok, status } = response
    if (ok) return { ok, reason: '', status }
    return createRefusedResult(response, status < 400 ? REDIRECT_REASON : '')
  } catch (error) {
    return { ok: false, reason: describeNetworkError(error, timeoutMs) }
  }
}

/** The JSON to post. Slack and Discord get their own shape; any other address gets every part by name. Pure. */
export function buildWebhookBody(
  address: string,
  { id, sessionId, notification, text, at }: OutgoingNotification,
): Record<string, unknown> {
  const { title, body, priority, click } = notification
  const content = [title, body, ...(click === undefined ? [] : [click])].join('\n')
  const { hostname } = new URL(address)
  if (hostname === 'hooks.slack.com')
    return { text: content.replace(/[&<>]/g, character => slackEscapes[character] ?? character) }
  if (/(^|\.)discord(app)?\.com$/.test(hostname)) return { content, allowed_mentions: { parse: [] } }
  return { id, session: sessionId, title, body, text, priority, at, click: click ?? null }
}

// --- internal ---

/** Unescaped, `<!channel>` would notify everybody in the channel. */
const slackEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

const REDIRECT_REASON = 'the server redirects; set WEBHOOK_URL to the final address'
