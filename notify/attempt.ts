import { type Config, heldSecrets, oneLine, secretSettings, unreachable, withoutSecrets } from '../host/index.ts'
import type { Delivery } from './delivery.ts'
import { showOnDesktop } from './desktop.ts'
import type { Notice } from './notice.ts'
import type { Channel } from './outbox.ts'
import { sendToPhone } from './phone.ts'
import { postToWebhook } from './webhook.ts'

/** What goes, and the names under which it goes. */
export interface Outgoing {
  /** The same whenever the same is sent again. */
  id: string
  of: string
  at: string
  notice: Notice
  /** The state alone, in words. */
  text: string
}

/** Try once to send this by one channel. Never rejects; over within the deadline; no secret goes out, and none comes back. */
export async function attempt(outgoing: Outgoing, channel: Channel, { config, deadline }: Terms): Promise<Delivery> {
  const delivery = await send(fitToSend(outgoing, config), channel, { config, deadline })
  return { ...delivery, why: oneLine(withoutOurs(delivery.why, config), 300) }
}

interface Terms {
  config: Config
  /** Milliseconds. */
  deadline: number
}

function send(
  { id, of, at, notice, text }: Outgoing,
  channel: Channel,
  { config, deadline }: Terms,
): Promise<Delivery> {
  switch (channel) {
    case 'desktop':
      return showOnDesktop(notice, deadline)
    case 'phone':
      return sendToPhone(notice, config, { deadline, sequence: id })
    case 'webhook':
      return postToWebhook({ id, session: of, notice, text, at }, config.WEBHOOK_URL, deadline)
    default:
      return unreachable(channel)
  }
}

/** What an agent asked or a program printed may hold a secret; the words go out, the secret does not. */
function fitToSend(outgoing: Outgoing, config: Config): Outgoing {
  const held = heldSecrets(config)
  const clean = (words: string, most: number) => [...withoutSecrets(words, held).text].slice(0, most).join('')
  const { notice, text } = outgoing
  return {
    ...outgoing,
    notice: { ...notice, title: clean(notice.title, 200), body: clean(notice.body, 1000) },
    text: clean(text, 1000),
  }
}

/** What a server answers may repeat what it was asked. */
function withoutOurs(answer: string, config: Config): string {
  return secretSettings.reduce((text, name) => {
    const value = String(config[name])
    return value === '' ? text : text.replaceAll(value, `(${name})`)
  }, answer)
}
