import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { findProgram } from '#host/exec.ts'
import { type Channel, type ChannelTest, type Notification, testChannels } from '#notify'
import { UsageError } from '../command.ts'
import { type DoctorResult, type Fix, ok, printResults, warn } from '../doctor/result.ts'
import { print } from '../output/terminal.ts'

/** `dispatch notify test`: one notification by every channel that is set. Returns the exit code. */
export async function runChannelTests(config: Config, json: boolean): Promise<number> {
  const tests = await testChannels(createTestNotification('dispatch notify test'), config)
  if (tests.length === 0)
    throw new UsageError(
      'no channel is set, so you would get no notifications',
      'Run `dispatch notify setup` to set up a phone, or set DESKTOP=on for this desktop.',
    )
  if (json) print(JSON.stringify(tests))
  else printChannelTests(tests, config)
  return tests.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.upstream
}

export function printChannelTests(tests: ChannelTest[], config: Config): void {
  printResults(tests.map(test => toDoctorResult(test, config)))
}

/** A notification that says which command sent it. */
export function createTestNotification(command: string): Notification {
  const body = `${command} sent this. If you can read it, this channel works.`
  return { title: 'Dispatch: a test', body, priority: 3, tags: ['wave'] }
}

/** What a test has shown and what only a person can see; or why the channel refused it, with the fix. Pure. */
export function toDoctorResult(test: ChannelTest, config: Config): DoctorResult {
  const { channel, reason, verified, unverified } = test
  if (!test.ok)
    return warn(channel, `the test notification was not delivered: ${reason}`, getChannelFix(channel, config))
  const untested = unverified.length === 0 ? '' : `. Not tested: ${unverified.join('; ')}`
  return ok(channel, `${verified.join('; ')}${untested}`)
}

/** The program or server of a channel, never the topic or the address of a webhook: both are passwords. Pure. */
export function describeDestination(channel: Channel, { NTFY_SERVER, WEBHOOK_URL }: Config): string {
  if (channel === 'desktop') return `by ${process.platform === 'darwin' ? findMacProgram() : 'notify-send'}`
  return channel === 'phone' ? `by ntfy at ${new URL(NTFY_SERVER).host}` : `to ${new URL(WEBHOOK_URL).host}`
}

/** What to check, on each system, when a channel does not deliver or a person sees nothing. Pure. */
export function getChannelFix(channel: Channel, { home }: Config): Fix {
  if (channel === 'desktop')
    return {
      mac: 'System Settings → Notifications → terminal-notifier, or else Script Editor: allow Banners or Alerts; or set DESKTOP=off',
      linux: '`apt-get install libnotify-bin`; on a machine without a desktop, set DESKTOP=off',
    }
  const settings = channel === 'phone' ? 'NTFY_SERVER and NTFY_TOKEN' : 'WEBHOOK_URL'
  const fix = `Check ${settings} in ${home}/.env, then run \`dispatch notify test\``
  return { mac: fix, linux: fix }
}

// --- internal ---

function findMacProgram(): string {
  return findProgram('terminal-notifier') ? 'terminal-notifier' : 'osascript'
}
