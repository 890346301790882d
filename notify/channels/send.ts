import { type Config, secretSettings } from '#host/config'
import { unreachable } from '#host/error.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { Channel, OutgoingNotification } from '../outbox.ts'
import { sendToDesktop } from './desktop.ts'
import { sendToPhone } from './ntfy.ts'
import type { SendResult } from './send-result.ts'
import { postToWebhook } from './webhook.ts'

export interface SendOptions {
  config: Config
  timeoutMs: number
}

const MAX_REASON_CHARS = 300

/** Try once to send. Never rejects, and ends within `timeoutMs`. Neither the notification nor the result contains a secret. */
export async function sendNotification(
  outgoing: OutgoingNotification,
  channel: Channel,
  options: SendOptions,
): Promise<SendResult> {
  const result = await sendByChannel(redactOutgoing(outgoing, options.config), channel, options)
  return { ...result, reason: toOneLine(redactSettings(result.reason, options.config), MAX_REASON_CHARS) }
}

// --- internal ---

function sendByChannel(
  outgoing: OutgoingNotification,
  channel: Channel,
  { config, timeoutMs }: SendOptions,
): Promise<SendResult> {
  const { id, notification } = outgoing
  switch (channel) {
    case 'desktop':
      return sendToDesktop(notification, timeoutMs)
    case 'phone':
      return sendToPhone(notification, config, { timeoutMs, sequenceId: id })
    case 'webhook':
      return postToWebhook(outgoing, config.WEBHOOK_URL, timeoutMs)
    default:
      return unreachable(channel)
  }
}

/** An agent's question or a program's output may contain a secret. */
function redactOutgoing(outgoing: OutgoingNotification, config: Config): OutgoingNotification {
  const knownSecrets = listKnownSecrets(config)
  const clean = (text: string, maxChars: number) =>
    [...redactSecrets(text, knownSecrets).text].slice(0, maxChars).join('')
  const { notification, text } = outgoing
  return {
    ...outgoing,
    notification: { ...notification, title: clean(notification.title, 200), body: clean(notification.body, 1000) },
    text: clean(text, 1000),
  }
}

/** A server's answer may repeat the topic or the token. */
function redactSettings(reason: string, config: Config): string {
  return secretSettings.reduce((text, name) => {
    const value = String(config[name])
    return value === '' ? text : text.replaceAll(value, `(${name})`)
  }, reason)
}
