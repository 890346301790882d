import { type Delivery, networkWords, waitIn } from './delivery.ts'
import type { Notice } from './notice.ts'

/** A notice as a webhook tells it. */
interface Posted {
  id: string
  /** A session's id, or `elsewhere`. */
  session: string
  notice: Notice
  /** The state in words, without the session's name. */
  text: string
  at: string
}

/** POST a notice to the user's webhook. Never rejects; the address is a secret and stands in no answer. */
export async function postToWebhook(posted: Posted, address: string, deadline = 10_000): Promise<Delivery> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(webhookBody(address, posted)),
      redirect: 'manual',
      signal: AbortSignal.timeout(deadline),
    })
    await response.body?.cancel()
    return deliveryOf(response)
  } catch (error) {
    return { channel: 'webhook', ok: false, why: networkWords(error, deadline) }
  }
}

/** What is posted: Slack and Discord want their own shape, all others get every part by its name. Pure. */
export function webhookBody(address: string, { id, session, notice, text, at }: Posted): Record<string, unknown> {
  const { title, body, priority, click } = notice
  const said = [title, body, ...(click === undefined ? [] : [click])].join('\n')
  const { hostname } = new URL(address)
  if (hostname === 'hooks.slack.com') return { text: said.replace(/[&<>]/g, sign => slackSigns[sign] ?? sign) }
  if (/(^|\.)discord(app)?\.com$/.test(hostname)) return { content: said, allowed_mentions: { parse: [] } }
  return { id, session, title, body, text, priority, at, click: click ?? null }
}

/** Slack reads `<!channel>` as a call to everybody. */
const slackSigns: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function deliveryOf({ ok, status, headers }: Response): Delivery {
  if (ok) return { channel: 'webhook', ok, why: '', status }
  const again = waitIn(headers.get('retry-after'), Date.now())
  const why = status < 400 ? `HTTP ${status}: it sends us elsewhere` : `HTTP ${status}`
  return { channel: 'webhook', ok, why, status, ...(again === undefined ? {} : { again }) }
}
