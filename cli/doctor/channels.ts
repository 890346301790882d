import type { Config } from '#host/config'
import { findProgram } from '#host/exec.ts'
import { type Channel, readChannelHealth, testChannels } from '#notify'
import { createTestNotification, describeDestination, getChannelFix, toDoctorResult } from '../notify/test-result.ts'
import { type DoctorResult, ok, warn } from './result.ts'
/** How a person is told. With `notify` one notice goes out on every channel that is set, and what that proves is told. */
export async function checkChannels(config: Config, notify: boolean): Promise<DoctorResult[]> {
  const proofs = notify ? await testChannels(createTestNotification('dispatch doctor --notify'), config) : []
  return readChannelHealth(config.home, config).map(({ channel, isOn, problem }) => {
    if (!isOn) return reportOff(channel)
    const tried = proofs.find(proof => proof.channel === channel)
    if (tried) return toDoctorResult(tried, config)
    if (problem !== undefined)
      return warn(channel, `${problem} (\`dispatch notify log\` has more)`, getChannelFix(channel, config))
    if (lacksNotifier(channel)) return warn(channel, 'notify-send is not on PATH', getChannelFix(channel, config))
    return ok(channel, `${describeDestination(channel, config)} (\`dispatch notify test\` proves it)`)
  })
}

// --- internal ---

function reportOff(channel: Channel): DoctorResult {
  if (channel === 'desktop') return ok(channel, 'switched off (DESKTOP=off)')
  if (channel === 'webhook') return ok(channel, 'none is set (`dispatch notify setup --webhook` asks for its address)')
  const setup = '`dispatch notify setup` makes a topic and shows it as a QR code'
  return warn(channel, 'NTFY_TOPIC is not set: no push to a phone', setup)
}

/** On a Mac the notifier comes with us. */
function lacksNotifier(channel: Channel): boolean {
  return channel === 'desktop' && process.platform !== 'darwin' && findProgram('notify-send') === ''
}
