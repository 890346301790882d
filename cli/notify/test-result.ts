import type { Config } from '#host/config'
import type { Channel, ChannelTest, Notification } from '#notify'
import { type DoctorResult, type Fix, ok, warn } from '../doctor/result.ts'
/** A notice that says what it is for. */
export function createTestNotification(by: string): Notification {
  const body = `${by} sent this. If you can read it, this channel works.`
  return { title: 'Dispatch: a test', body, priority: 3, tags: ['wave'] }
}

/** What was proved and what only a person can see; or why it was not taken, and what to do. Pure. */
export function toDoctorResult(
  { channel, ok: isOk, reason, verified, unverified }: ChannelTest,
  config: Config,
): DoctorResult {
  if (!isOk) return warn(channel, `it did not take the notice: ${reason}`, getChannelFix(channel, config))
  const open = unverified.length === 0 ? '' : `. Not proved: ${unverified.join('; ')}`
  return ok(channel, `${verified.join('; ')}${open}`)
}

/** By what a channel goes out; never the topic, nor the address of a webhook, which is a password too. Pure. */
export function describeDestination(channel: Channel, { NTFY_SERVER, WEBHOOK_URL }: Config): string {
  if (channel === 'desktop') return process.platform === 'darwin' ? 'by terminal-notifier' : 'by notify-send'
  return channel === 'phone' ? `by ntfy at ${new URL(NTFY_SERVER).host}` : `to ${new URL(WEBHOOK_URL).host}`
}

/** What to look at, on each system, when a channel does not take notices, or nobody sees them. Pure. */
export function getChannelFix(channel: Channel, { home }: Config): Fix {
  if (channel === 'desktop')
    return {
      mac: 'System Settings → Notifications → terminal-notifier: allow them, as Banners or Alerts; or DESKTOP=off',
      linux: '`apt-get install libnotify-bin`, or DESKTOP=off; a machine without a desktop needs DESKTOP=off',
    }
  const settings = channel === 'phone' ? 'NTFY_SERVER and NTFY_TOKEN' : 'WEBHOOK_URL'
  const both = `Look at ${settings} in ${home}/.env; then \`dispatch notify test\` tries it once more`
  return { mac: both, linux: both }
}
