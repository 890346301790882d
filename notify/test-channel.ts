import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { buildProgramCommand, type Config, exportSettings } from '#host/config'
import { unreachable } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { parseJson } from '#host/json.ts'
import { buildNtfyUrl, type NtfySettings } from './channels/ntfy.ts'
import { type SendOptions, sendNotification } from './channels/send.ts'
import type { SendResult } from './channels/send-result.ts'
import { buildSenderEnvironment } from './child-env.ts'
import type { Notification } from './notification.ts'
import { type Channel, channels, listEnabledChannels } from './outbox.ts'

const ChannelTest = z.object({
  channel: z.enum(channels),
  ok: z.boolean(),
  /** Why it failed; empty if it did not. */
  reason: z.string(),
  verified: z.array(z.string()),
  unverified: z.array(z.string()),
})

/** The result of one channel test: what the attempt verified, and what no attempt can verify. */
export type ChannelTest = z.infer<typeof ChannelTest>

const TEST_TIMEOUT_MS = 30_000

/**
 * Send this notification now to each enabled channel, not through the outbox. Never rejects. A child process
 * (`test-child.ts`) sends it, because that one gets the environment of a deliverer: the same proxy, and nothing else.
 */
export async function testChannels(notification: Notification, config: Config): Promise<ChannelTest[]> {
  const targets = listEnabledChannels(config)
  if (targets.length === 0) return []
  const [node, program] = buildProgramCommand('notify/test-child')
  const { stdout } = await runProgram(node, [program], {
    env: { ...buildSenderEnvironment(config.home), ...exportSettings(config) },
    input: JSON.stringify(notification),
    timeoutMs: TEST_TIMEOUT_MS,
  })
  const results = z.array(ChannelTest).safeParse(parseJson(stdout))
  if (results.success) return results.data
  const reason = 'the test process returned no result'
  return targets.map(channel => ({ channel, ok: false, reason, verified: [], unverified: [] }))
}

/** The part of `testChannels` that runs in the child process. Each attempt may take `timeoutMs`. */
export function sendChannelTests(
  notification: Notification,
  config: Config,
  timeoutMs = 10_000,
): Promise<ChannelTest[]> {
  return Promise.all(
    listEnabledChannels(config).map(channel => testChannel(channel, notification, { config, timeoutMs })),
  )
}

// --- internal ---

async function testChannel(channel: Channel, notification: Notification, options: SendOptions): Promise<ChannelTest> {
  const at = new Date().toISOString()
  const id = `test-${at.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')}`
  const outgoing = { id, sessionId: 'test', at, notification, text: notification.body }
  const result = await sendNotification(outgoing, channel, options)
  const { ok, reason } = result
  if (!ok) return { channel, ok, reason, verified: [], unverified: [] }
  return { channel, ok, reason, ...(await describeVerified(channel, result, options)) }
}

async function describeVerified(
  channel: Channel,
  { id = '', status }: SendResult,
  { config, timeoutMs }: SendOptions,
): Promise<Pick<ChannelTest, 'verified' | 'unverified'>> {
  switch (channel) {
    case 'desktop':
      return { verified: ["this machine's notifier accepted it"], unverified: [BANNER_CAVEAT] }
    case 'webhook':
      return { verified: [`the address accepted it (HTTP ${status})`], unverified: ['that people see it there'] }
    case 'phone': {
      const { host } = new URL(config.NTFY_SERVER)
      const isKept = await isStored(id, config, timeoutMs)
      return {
        verified: [`${host} accepted it`, ...(isKept ? [`${host} stores it under your topic (fetched back)`] : [])],
        unverified: [
          ...(isKept ? [] : [`that ${host} stores it (it could not be fetched back)`]),
          'that a phone subscribes to the topic: only you can see that',
        ],
      }
    }
    default:
      return unreachable(channel)
  }
}

const BANNER_CAVEAT =
  process.platform === 'darwin'
    ? 'that banners are allowed (System Settings > Notifications > terminal-notifier or Script Editor)'
    : 'that a banner appeared'

const FETCH_ATTEMPTS = 3
const FETCH_PAUSE_MS = 500

/** Fetch the message back from its topic. (`since=<id>` would return those after it.) A server may store it a moment late. */
async function isStored(id: string, settings: NtfySettings, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(timeoutMs)
  const { NTFY_TOKEN: token } = settings
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  for (let attempt = 0; attempt < FETCH_ATTEMPTS; attempt++) {
    try {
      const url = buildNtfyUrl(settings, `/json?poll=1&since=10m&id=${id}`)
      const response = await fetch(url, { headers, redirect: 'manual', signal })
      if (response.ok && containsMessage(await response.text(), id)) return true
      await sleep(FETCH_PAUSE_MS)
    } catch {
      return false // A server that does not answer has not shown the message.
    }
  }
  return false
}

const NtfyLine = z.looseObject({ id: z.string(), event: z.literal('message') })

function containsMessage(text: string, id: string): boolean {
  return text.split('\n').some(line => NtfyLine.safeParse(parseJson(line)).data?.id === id)
}
