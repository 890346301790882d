import { z } from 'zod'
import { buildProgramCommand, type Config, exportSettings } from '#host/config'
import { unreachable } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { buildNtfyUrl, type NtfySettings } from './channels/phone.ts'
import { sendNotification } from './channels/send.ts'
import type { SendResult } from './channels/send-result.ts'
import { buildSenderEnvironment } from './child-env.ts'
import type { Notification } from './notification.ts'
import { type Channel, channels, listEnabledChannels } from './outbox.ts'

const ChannelTest = z.object({
  channel: z.enum(channels),
  ok: z.boolean(),
  reason: z.string(),
  verified: z.array(z.string()),
  unverified: z.array(z.string()),
})

/** What one attempt on a channel has shown, and what no attempt can. */
export type ChannelTest = z.infer<typeof ChannelTest>

/**
 * Send this notice now by each channel that is set, past the outbox, and say what that proves. Never rejects. It goes from a
 * process of its own (`proof.ts`), which has exactly what a deliverer has: its way through a proxy, and no more.
 */
export async function testChannels(notification: Notification, config: Config): Promise<ChannelTest[]> {
  const set = listEnabledChannels(config)
  if (set.length === 0) return []
  const env = { ...buildSenderEnvironment(config.home), ...exportSettings(config) }
  const input = JSON.stringify(notification)
  const [node, proof] = buildProgramCommand('notify/test-child')
  const ran = await runProgram(node, [proof], {
    env,
    input,
    timeoutMs: 30_000,
  })
  const reason = 'the attempt ended without a word'
  return (
    parseChannelTests(ran.stdout) ?? set.map(channel => ({ channel, ok: false, reason, verified: [], unverified: [] }))
  )
}

/** The attempts themselves. */
export function sendChannelTests(
  notification: Notification,
  config: Config,
  timeoutMs = 10_000,
): Promise<ChannelTest[]> {
  return Promise.all(
    listEnabledChannels(config).map(channel => testChannel(channel, notification, { config, timeoutMs })),
  )
}

function parseChannelTests(text: string): ChannelTest[] | undefined {
  try {
    return z.array(ChannelTest).parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function testChannel(
  channel: Channel,
  notification: Notification,
  terms: { config: Config; timeoutMs: number },
): Promise<ChannelTest> {
  const at = new Date().toISOString()
  const id = `proof-${at.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}`
  const delivery = await sendNotification(
    { id, sessionId: 'proof', at, notification, text: notification.body },
    channel,
    terms,
  )
  const { ok, reason } = delivery
  if (!ok) return { channel, ok, reason, verified: [], unverified: [] }
  return { channel, ok, reason, ...(await describeVerified(delivery, terms)) }
}

/** In words, what it shows that the channel took the notice. */
async function describeVerified(
  { channel, id = '', status }: SendResult,
  { config, timeoutMs }: { config: Config; timeoutMs: number },
): Promise<Pick<ChannelTest, 'verified' | 'unverified'>> {
  switch (channel) {
    case 'desktop':
      return { verified: ['the notifier of this machine took it'], unverified: [BANNER_CAVEAT] }
    case 'webhook':
      return {
        verified: [`the address took it (HTTP ${status})`],
        unverified: ['that somebody reads what arrives there'],
      }
    case 'phone': {
      const { host } = new URL(config.NTFY_SERVER)
      const isKept = await isStored(id, config, timeoutMs)
      const kept = `${host} keeps it under your topic: fetched back from there`
      return {
        verified: [`${host} took it`, ...(isKept ? [kept] : [])],
        unverified: [...(isKept ? [] : [`that ${host} keeps it: it could not be fetched back`]), SUBSCRIPTION_CAVEAT],
      }
    }
    default:
      return unreachable(channel)
  }
}

const BANNER_CAVEAT =
  process.platform === 'darwin'
    ? 'that banners are allowed (System Settings > Notifications > terminal-notifier)'
    : 'that a banner was to be seen'
const SUBSCRIPTION_CAVEAT = 'that a phone subscribes to the topic: only you can see whether it shows'

/** Is the message to be had from the topic? `since=<id>` would ask for those after it. A server may write a moment later. */
async function isStored(id: string, phone: NtfySettings, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(timeoutMs)
  const { NTFY_TOKEN: token } = phone
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  for (let tries = 0; tries < 3; tries++) {
    try {
      const address = buildNtfyUrl(phone, `/json?poll=1&since=10m&id=${id}`)
      const response = await fetch(address, { headers, redirect: 'manual', signal })
      if (response.ok && containsMessage(await response.text(), id)) return true
      await new Promise(resolve => setTimeout(resolve, 500))
    } catch {
      return false // It did not answer, and that is the answer.
    }
  }
  return false
}

const NtfyLine = z.looseObject({ id: z.string(), event: z.literal('message') })

function containsMessage(text: string, id: string): boolean {
  return text.split('\n').some(line => {
    try {
      return NtfyLine.parse(JSON.parse(line)).id === id
    } catch {
      return false
    }
  })
}
