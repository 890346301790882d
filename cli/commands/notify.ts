import { readConfig } from '#host/config'
import { startDeliverer } from '#notify'
import { defineCommand, listActions } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printDeliveryLog } from '../notify/log.ts'
import { printChannels } from '../notify/overview.ts'
import { setupNotifications } from '../notify/setup.ts'
import { runChannelTests } from '../notify/test.ts'

const options = {
  new: { type: 'boolean', about: 'setup: make a new topic, even if a good one is set' },
  server: { type: 'string', value: 'URL', about: 'setup: your own ntfy server (NTFY_SERVER)' },
  token: { type: 'boolean', about: 'setup: ask for the access token of that server (NTFY_TOKEN)' },
  webhook: { type: 'boolean', about: 'setup: ask for the address of a webhook such as Slack’s (WEBHOOK_URL)' },
  'quiet-hours': { type: 'string', value: 'HH:MM-HH:MM', about: 'setup: when notifications wait (QUIET_HOURS)' },
  last: { type: 'string', value: 'N', about: 'log: how many lines (default: 20)' },
  retry: { type: 'boolean', about: 'log: send again what was given up' },
  json: { type: 'boolean', about: 'test, log, or without an action: print JSON instead of text' },
} as const

const forms = {
  options: {
    '': ['json'],
    setup: ['new', 'server', 'token', 'webhook', 'quiet-hours'],
    test: ['json'],
    log: ['last', 'retry', 'json'],
  },
} as const

export const command = defineCommand({
  usage: 'notify [setup | test | log] [options]',
  about: `
How dispatch notifies you when a session needs you or is done: on this desktop, on your phone (ntfy), by a webhook. Without
an action, it shows the channels and whether they work. A notification is on disk before the first attempt to send it, so
nothing is lost while the network or a server is down.

setup: sets up your phone, step by step. It makes a topic that cannot be guessed, asks before it writes it to
$DISPATCH_HOME/.env, shows it as a QR code, and sends a test. Anyone who knows the topic can read your notifications.

test: sends one notification by every channel, and shows what was delivered and what only you can see. Exit 0 when every
channel worked, 8 when one failed, 2 when none is set.

log: what was sent, when and by which channel; what is waiting, and what was given up.
`,
  options,
  forms,
  choices: { action: () => listActions(forms) },
  async run(values, [action = '']) {
    if (action === 'setup') return setupNotifications(values)
    const config = readConfig()
    if (action === 'test' || values.retry) await refuseAgent(`notify ${action}`, 'It rings a phone.')
    await startDeliverer(config) // What waits since the machine was restarted goes out too.
    if (action === 'test') return runChannelTests(config, values.json ?? false)
    return action === 'log' ? printDeliveryLog(config, values) : printChannels(config, values.json ?? false)
  },
})
