import type { Config } from '#host/config'
import { findProgram } from '#host/exec.ts'
import { type Channel, readChannelHealth, testChannels } from '#notify'
import { createTestNotification, describeDestination, getChannelFix, toDoctorResult } from '../notify/test.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** How dispatch notifies you. With `sendsTest` one notification goes out on every channel that is set. */
export async function checkChannels(config: Config, sendsTest: boolean): Promise<DoctorResult[]> {
  const tests = sendsTest ? await testChannels(createTestNotification('dispatch doctor --notify'), config) : []
  return readChannelHealth(config.home, config).map(({ channel, isOn, problem }) => {
    if (!isOn) return reportOff(channel)
    const test = tests.find(result => result.channel === channel)
    if (test) return toDoctorResult(test, config)
    if (problem !== undefined)
      return warn(channel, `${problem} (\`dispatch notify log\` has more)`, getChannelFix(channel, config))
    const needsNotifySend = channel === 'desktop' && process.platform !== 'darwin' // A Mac has one.
    if (needsNotifySend && findProgram('notify-send') === '')
      return warn(channel, 'notify-send is not on PATH', getChannelFix(channel, config))
    return ok(channel, `${describeDestination(channel, config)} (\`dispatch notify test\` tests it)`)
  })
}

// --- internal ---

function reportOff(channel: Channel): DoctorResult {
  if (channel === 'desktop') return ok(channel, 'switched off (DESKTOP=off)')
  if (channel === 'webhook') return ok(channel, 'not set (`dispatch notify setup --webhook` asks for its address)')
  const fix = 'Run `dispatch notify setup`: it makes a topic and shows it as a QR code'
  return warn(channel, 'NTFY_TOPIC is not set, so your phone gets no notifications', fix)
}
