import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { z } from 'zod'
import { type Config, oneLine } from '../host/index.ts'
import { type Delivery, within } from './delivery.ts'
import type { Notice } from './notice.ts'

/** Where the phone listens. */
export type Phone = Pick<Config, 'NTFY_SERVER' | 'NTFY_TOPIC' | 'NTFY_TOKEN'>

/**
 * Publish a notice to ntfy. Never rejects; gives up after `deadline` milliseconds, though the request itself goes on:
 * npm `ntfy` knows no deadline and no abort, which is why a push is a short-lived process of its own.
 */
export async function sendToPhone(notice: Notice, phone: Phone, deadline = 10_000): Promise<Delivery> {
  const late: Delivery = { channel: 'phone', ok: false, why: `no answer in ${deadline / 1000} s` }
  const delivery = await within(deadline, send(notice, phone), late)
  return { ...delivery, why: delivery.why.replaceAll(phone.NTFY_TOPIC, '(topic)') }
}

async function send(notice: Notice, phone: Phone): Promise<Delivery> {
  const answer = listenFor(phone)
  try {
    const { publish } = await import('ntfy') // Only when there is something to send: the runner stays small.
    const published = Published.safeParse(await publish(message(notice, phone)))
    return published.success ? delivered(answer) : refused(answer, notNtfy)
  } catch (error) {
    return refused(answer, inWords(error))
  } finally {
    answer.stop()
  }
}

/** What ntfy answers to a publish. Anything else came from somebody else: a captive portal also answers 200. */
const Published = z.looseObject({ id: z.string() })

const notNtfy = 'the server did not answer as ntfy does'

function message({ title, body, priority, tags, click }: Notice, phone: Phone) {
  const { NTFY_SERVER, NTFY_TOPIC, NTFY_TOKEN } = phone
  return {
    server: base(NTFY_SERVER),
    topic: NTFY_TOPIC,
    title: oneLine(title, 200).replace(/[^\x20-\x7e]/gu, '?'),
    message: oneLine(body, 1000),
    priority,
    tags,
    ...(click === undefined || isLoopback(click) ? {} : { actions: [opens(click)] }),
    ...(NTFY_TOKEN === '' ? {} : { authorization: { username: '', password: NTFY_TOKEN } }),
  }
}

/** A button on the notice: npm `ntfy` 1.15 has a `clickURL` in its types and never sends it. */
function opens(click: string) {
  const url = new URL(click).href.replace(/[,;]/g, encodeURIComponent)
  return { type: 'view', label: 'Open', url } as const
}

/** With its slash, so that a server under a path keeps the path. */
function base(server: string): string {
  return server.endsWith('/') ? server : `${server}/`
}

/** A page on this machine's loopback opens nothing on a phone, so it is no link there. */
function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(address).hostname)
}

interface Answer {
  status?: number
  retryAfter?: string
  stop(): void
}

/** npm `ntfy` keeps only the status text of a refusal; Node's own fetch tells the rest to whoever listens. */
function listenFor({ NTFY_SERVER, NTFY_TOPIC }: Phone): Answer {
  const target = new URL(NTFY_TOPIC, base(NTFY_SERVER))
  const answer: Answer = { stop: () => unsubscribe(channel, hear) }
  const hear = (heard: unknown) => {
    const { success, data } = Headers.safeParse(heard)
    if (!success || data.request.origin !== target.origin || data.request.path !== target.pathname) return
    answer.status = data.response.statusCode
    const names = data.response.headers.map(name => name.toString().toLowerCase())
    const at = names.indexOf('retry-after')
    if (at >= 0) answer.retryAfter = String(data.response.headers[at + 1])
  }
  subscribe(channel, hear)
  return answer
}

const channel = 'undici:request:headers'

const Headers = z.looseObject({
  request: z.looseObject({ origin: z.string(), path: z.string() }),
  response: z.looseObject({ statusCode: z.number(), headers: z.array(z.union([z.instanceof(Buffer), z.string()])) }),
})

function delivered({ status }: Answer): Delivery {
  return { channel: 'phone', ok: true, why: '', ...(status === undefined ? {} : { status }) }
}

function refused({ status, retryAfter }: Answer, words: string): Delivery {
  if (status === undefined) return { channel: 'phone', ok: false, why: words }
  const again = retryAfter === undefined ? '' : `; Retry-After: ${oneLine(retryAfter, 40)}`
  return { channel: 'phone', ok: false, why: `HTTP ${status}: ${words}${again}`, status }
}

function inWords(error: unknown): string {
  if (error instanceof SyntaxError) return notNtfy
  if (!(error instanceof Error)) return 'it could not be sent'
  const cause = z.looseObject({ code: z.string() }).safeParse(error.cause)
  if (cause.success) return `the server cannot be reached (${cause.data.code})`
  return oneLine(error.message.replace(/^Error while publishing message: ?/, '') || 'refused', 200)
}
