import { type Config, pickVariables } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { testChannels } from '#notify'
import { confirmAction } from '../input/confirm.ts'
import { paint, print } from '../output/terminal.ts'
import { buildSubscribeUrl, renderQr } from './qr.ts'
import { createTestNotification, printChannelTests } from './test.ts'

/** Show how to subscribe, and ask whether it worked. The QR code is last, so that 24 lines show it with the question. */
export async function subscribePhone({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): Promise<boolean> {
  const url = buildSubscribeUrl(server, topic)
  print('Install the app "ntfy" on your phone and subscribe to the topic below. The topic is a')
  print('password: anyone who knows it can read your notifications.\n')
  if (url !== undefined) print('  Android  scan the code with the camera; the app opens')
  print('  iPhone   (or when the camera shows only text) tap + in the app and type the topic')
  if (!isNtfySh(server)) print('           and, under "Use another server", the server')
  print(url === undefined ? '' : `\n${renderQr(url).join('\n')}`)
  const origin = isFromEnvironment('NTFY_TOPIC') ? '   (from the environment, not from .env)' : ''
  print(`server  ${paint('bold', server)}`)
  print(`topic   ${paint('bold', topic)}${origin}`)
  return confirmAction('Subscribed? Then dispatch sends a test.', 'notify setup')
}

/** Send a test by every channel, and ask whether it arrived. Returns the exit code. */
export async function testAndAsk(config: Config): Promise<number> {
  const tests = await testChannels(createTestNotification('dispatch notify setup'), config)
  if (tests.length === 0) {
    print('Done.')
    return exitCodes.ok
  }
  print()
  printChannelTests(tests, config)
  if (!tests.every(({ ok }) => ok)) return exitCodes.upstream
  if (await confirmAction('\nDid it arrive?', 'notify setup')) {
    print('Done. `dispatch notify` shows at any time whether it still works.')
    return exitCodes.ok
  }
  printPossibleCauses(config)
  return exitCodes.upstream
}

export function isFromEnvironment(name: string): boolean {
  return Object.keys(pickVariables([name])).length > 0
}

// --- internal ---

/** The server has the notification, but the phone shows nothing. */
function printPossibleCauses({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): void {
  if (topic === '') return print('Then check the notification settings of this machine; `dispatch doctor` has more.')
  const ownServer = `
  - An iPhone gets notifications from your own server only if the server sets \`upstream-base-url\`
    (docs.ntfy.sh, Configuration).`
  print(`
The server has the notification, so the problem is between the server and the phone:
  - Not in the app either? Then the server or the topic in the app differs from the one above.
  - In the app, but no banner? Allow notifications for ntfy in the phone's settings. Check Do Not Disturb and, on
    Android, battery saving.
  - Late, on Android? Switch on "Instant delivery" in the topic's settings.${isNtfySh(server) ? '' : ownServer}
Then try again: dispatch notify test`)
}

function isNtfySh(server: string): boolean {
  return new URL(server).host === 'ntfy.sh'
}
