import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Config, oneLine } from '../host/index.ts'
import { type Delivery, networkWords, waitIn } from './delivery.ts'
import type { Notice } from './notice.ts'
import { type Heard, overhear } from './overhear.ts'

/** Where the phone listens. */
export type Phone = Pick<Config, 'NTFY_SERVER' | 'NTFY_TOPIC' | 'NTFY_TOKEN'>

/**
 * Publish a notice to ntfy. Never rejects, and is over within `deadline` milliseconds, the request included. Of two with the
 * same `sequence` the second replaces the first, where server and app are new enough; others ignore it.
 */
export async function sendToPhone(
  notice: Notice,
  phone: Phone,
  { deadline = 10_000, sequence }: { deadline?: number; sequence?: string } = {},
): Promise<Delivery> {
  const heard: Heard = { signal: AbortSignal.timeout(deadline) }
  try {
    const { publish } = await import('ntfy') // Only when there is something to send: the runner stays small.
    const answer = Published.safeParse(await overhear(heard, () => publish(message(notice, phone, sequence))))
    return answer.success ? { ...base(heard), ok: true, id: answer.data.id } : failed(heard, notNtfy)
  } catch (error) {
    return failed(heard, inWords(error, heard, deadline))
  }
}

/** The address of something on the user's server: its topic, and what is asked of it. */
export function ntfyAddress({ NTFY_SERVER, NTFY_TOPIC }: Phone, below = ''): URL {
  return new URL(`${NTFY_TOPIC}${below}`, withSlash(NTFY_SERVER))
}

/** An ntfy server gives messages that are told apart by up to 64 letters, so a longer id goes as its hash. */
function sequenceOf(id: string): string {
  return id.length <= 64 ? id : createHash('sha256').update(id).digest('hex')
}

/** What ntfy answers to a publish. Anything else came from somebody else: a captive portal also answers 200. */
const Published = z.looseObject({ id: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/) })

const notNtfy = 'the server did not answer as ntfy does'

function message({ title, body, priority, tags, click }: Notice, phone: Phone, sequence: string | undefined) {
  const { NTFY_SERVER, NTFY_TOPIC, NTFY_TOKEN } = phone
  const page = click === undefined || isLoopback(click) ? undefined : new URL(click).href
  const asked = new URLSearchParams({
    ...(sequence === undefined ? {} : { 'sequence-id': sequenceOf(sequence) }),
    ...(page === undefined ? {} : { click: page }),
  })
  return {
    server: withSlash(NTFY_SERVER),
    topic: asked.size === 0 ? NTFY_TOPIC : `${NTFY_TOPIC}?${asked}`, // The package has no other way for either.
    title: oneLine(title, 200).replace(/[^\x20-\x7e]/gu, '?'),
    message: lines(body),
    priority,
    tags,
    ...(page === undefined ? {} : { actions: [opens(page)] }),
    ...(NTFY_TOKEN === '' ? {} : { authorization: { username: '', password: NTFY_TOKEN } }),
  }
}

/** Line by line free of what could act on a screen; 1,000 characters are never more than the 4,096 bytes of ntfy. */
function lines(body: string): string {
  const clean = body.split('\n').map(line => oneLine(line, 300))
  return [...clean.join('\n')].slice(0, 1000).join('')
}

/** A button on the notice, besides the tap. */
function opens(page: string) {
  return { type: 'view', label: 'Open', url: page.replace(/[,;]/g, encodeURIComponent) } as const
}

/** With its slash, so that a server under a path keeps the path. */
function withSlash(server: string): string {
  return server.endsWith('/') ? server : `${server}/`
}

/** A page on this machine's loopback opens nothing on a phone, so it is no link there. */
function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(address).hostname)
}

function base({ status }: Heard) {
  return { channel: 'phone', why: '', ...(status === undefined ? {} : { status }) } as const
}

function failed(heard: Heard, words: string): Delivery {
  const again = waitIn(heard.retryAfter, Date.now())
  const why = heard.status === undefined ? words : `HTTP ${heard.status}: ${words}`
  return { ...base(heard), ok: false, why, ...(again === undefined ? {} : { again }) }
}

function inWords(error: unknown, { status }: Heard, deadline: number): string {
  if (error instanceof SyntaxError) return notNtfy
  if (status === undefined || status === 200) return networkWords(error, deadline)
  if (status < 400) return 'it sends us elsewhere; NTFY_SERVER must name the place itself'
  const words = error instanceof Error ? error.message.replace(/^Error while publishing message: ?/, '') : ''
  return oneLine(words || 'refused', 4000) // Cut short by whoever has looked for secrets in it.
}
