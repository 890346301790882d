import { z } from 'zod'
import { type Config, ownProgram, run, settingsIn, unreachable } from '../host/index.ts'
import { attempt } from './attempt.ts'
import type { Delivery } from './delivery.ts'
import { sendersEnvironment } from './environment.ts'
import type { Notice } from './notice.ts'
import { type Channel, channels, channelsOf } from './outbox.ts'
import { ntfyAddress, type Phone } from './phone.ts'

const Proof = z.object({
  channel: z.enum(channels),
  ok: z.boolean(),
  why: z.string(),
  proved: z.array(z.string()),
  unproved: z.array(z.string()),
})

/** What one attempt on a channel has shown, and what no attempt can. */
export type Proof = z.infer<typeof Proof>

/**
 * Send this notice now by each channel that is set, past the outbox, and say what that proves. Never rejects. It goes from a
 * process of its own (`proof.ts`), which has exactly what a deliverer has: its way through a proxy, and no more.
 */
export async function prove(notice: Notice, config: Config): Promise<Proof[]> {
  const set = channelsOf(config)
  if (set.length === 0) return []
  const env = { ...sendersEnvironment(config.home), ...settingsIn(config) }
  const input = JSON.stringify(notice)
  const [node, proof] = ownProgram('notify/proof')
  const ran = await run(node, [proof], {
    env,
    input,
    deadline: 30_000,
  })
  const why = 'the attempt ended without a word'
  return proofsIn(ran.stdout) ?? set.map(channel => ({ channel, ok: false, why, proved: [], unproved: [] }))
}

/** The attempts themselves. */
export function proveHere(notice: Notice, config: Config, deadline = 10_000): Promise<Proof[]> {
  return Promise.all(channelsOf(config).map(channel => proveOne(channel, notice, { config, deadline })))
}

function proofsIn(text: string): Proof[] | undefined {
  try {
    return z.array(Proof).parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function proveOne(channel: Channel, notice: Notice, terms: { config: Config; deadline: number }): Promise<Proof> {
  const at = new Date().toISOString()
  const id = `proof-${at.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}`
  const delivery = await attempt({ id, of: 'proof', at, notice, text: notice.body }, channel, terms)
  const { ok, why } = delivery
  if (!ok) return { channel, ok, why, proved: [], unproved: [] }
  return { channel, ok, why, ...(await shownBy(delivery, terms)) }
}

/** In words, what it shows that the channel took the notice. */
async function shownBy(
  { channel, id = '', status }: Delivery,
  { config, deadline }: { config: Config; deadline: number },
): Promise<Pick<Proof, 'proved' | 'unproved'>> {
  switch (channel) {
    case 'desktop':
      return { proved: ['the notifier of this machine took it'], unproved: [banners] }
    case 'webhook':
      return { proved: [`the address took it (HTTP ${status})`], unproved: ['that somebody reads what arrives there'] }
    case 'phone': {
      const { host } = new URL(config.NTFY_SERVER)
      const isKept = await isStored(id, config, deadline)
      const kept = `${host} keeps it under your topic: fetched back from there`
      return {
        proved: [`${host} took it`, ...(isKept ? [kept] : [])],
        unproved: [...(isKept ? [] : [`that ${host} keeps it: it could not be fetched back`]), subscribed],
      }
    }
    default:
      return unreachable(channel)
  }
}

const banners =
  process.platform === 'darwin'
    ? 'that banners are allowed (System Settings > Notifications > terminal-notifier)'
    : 'that a banner was to be seen'
const subscribed = 'that a phone subscribes to the topic: only you can see whether it shows'

/** Is the message to be had from the topic? `since=<id>` would ask for those after it. A server may write a moment later. */
async function isStored(id: string, phone: Phone, deadline: number): Promise<boolean> {
  const signal = AbortSignal.timeout(deadline)
  const { NTFY_TOKEN: token } = phone
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  for (let tries = 0; tries < 3; tries++) {
    try {
      const address = ntfyAddress(phone, `/json?poll=1&since=10m&id=${id}`)
      const response = await fetch(address, { headers, redirect: 'manual', signal })
      if (response.ok && holdsMessage(await response.text(), id)) return true
      await new Promise(resolve => setTimeout(resolve, 500))
    } catch {
      return false // It did not answer, and that is the answer.
    }
  }
  return false
}

const Line = z.looseObject({ id: z.string(), event: z.literal('message') })

function holdsMessage(text: string, id: string): boolean {
  return text.split('\n').some(line => {
    try {
      return Line.parse(JSON.parse(line)).id === id
    } catch {
      return false
    }
  })
}
