import { type Config, secretSettings } from '#host/config'
import { unreachable } from '#host/error.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import type { Channel } from '../outbox.ts'
import { sendToDesktop } from './desktop.ts'
import { sendToPhone } from './phone.ts'
import type { SendResult } from './send-result.ts'
import { postToWebhook } from './webhook.ts'
/** What goes, and the names under which it goes. */
export interface OutgoingNotification {
  /** The same whenever the same is sent again. */
  id: string
  sessionId: string
  at: string
  notification: Notification
  /** The state alone, in words. */
  text: string
}

/** Try once to send this by one channel. Never rejects; over within the deadline; no secret goes out, and none comes back. */
export async function sendNotification(
  outgoing: OutgoingNotification,
  channel: Channel,
  { config, timeoutMs }: SendOptions,
): Promise<SendResult> {
  const delivery = await sendByChannel(redactOutgoing(outgoing, config), channel, { config, timeoutMs })
  return { ...delivery, reason: toOneLine(redactSettings(delivery.reason, config), 300) }
}

interface SendOptions {
  config: Config
  /** Milliseconds. */
  timeoutMs: number
}

function sendByChannel(
  { id, sessionId, at, notification, text }: OutgoingNotification,
  channel: Channel,
  { config, timeoutMs }: SendOptions,
): Promise<SendResult> {
  switch (channel) {
    case 'desktop':
      return sendToDesktop(notification, timeoutMs)
    case 'phone':
      return sendToPhone(notification, config, { deadline: timeoutMs, sequence: id })
    case 'webhook':
      return postToWebhook({ id, sessionId, notification, text, at }, config.WEBHOOK_URL, timeoutMs)
    default:
      return unreachable(channel)
  }
}

/** What an agent asked or a program printed may hold a secret; the words go out, the secret does not. */
function redactOutgoing(outgoing: OutgoingNotification, config: Config): OutgoingNotification {
  const held = listKnownSecrets(config)
  const clean = (words: string, max: number) => [...redactSecrets(words, held).text].slice(0, max).join('')
  const { notification, text } = outgoing
  return {
    ...outgoing,
    notification: { ...notification, title: clean(notification.title, 200), body: clean(notification.body, 1000) },
    text: clean(text, 1000),
  }
}

/** What a server answers may repeat what it was asked. */
function redactSettings(answer: string, config: Config): string {
  return secretSettings.reduce((text, name) => {
    const value = String(config[name])
    return value === '' ? text : text.replaceAll(value, `(${name})`)
  }, answer)
}
