import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { startDeliverer } from '#notify'
import { defineCommand, type OptionValues } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printDeliveryLog } from '../notify/log.ts'
import { printChannels } from '../notify/overview.ts'
import { setupNotifications } from '../notify/setup.ts'
import { runChannelTest } from '../notify/test.ts'

const options = {
  new: { type: 'boolean', about: 'setup: a new topic, also where a good one is set' },
  server: { type: 'string', value: 'URL', about: 'setup: an ntfy server of your own (NTFY_SERVER)' },
  token: { type: 'boolean', about: 'setup: ask for the access token of that server (NTFY_TOKEN)' },
  webhook: { type: 'boolean', about: 'setup: ask for the address of a webhook, such as Slack’s (WEBHOOK_URL)' },
  'quiet-hours': { type: 'string', value: 'HH:MM-HH:MM', about: 'setup: when notices wait (QUIET_HOURS)' },
  last: { type: 'string', value: 'N', about: 'log: so many lines (default 20)' },
  retry: { type: 'boolean', about: 'log: send what was given up once more' },
  json: { type: 'boolean', about: 'test, log: one JSON object on standard output instead of words' },
} as const

/** Which options belong to which word. */
const optionsByAction: Record<string, (keyof typeof options)[]> = {
  '': ['json'],
  setup: ['new', 'server', 'token', 'webhook', 'quiet-hours'],
  test: ['json'],
  log: ['last', 'retry', 'json'],
}

export const command = defineCommand({
  usage: 'notify [setup | test | log] [options]',
  about: `
How you are told that a session needs you or is done: on this desktop, on your phone (by ntfy), by a webhook. Without a word:
which channels there are, and whether they work. A notice is on disk before anybody sends it, so nothing is lost while the
network or a server is down; each channel goes its own way.

setup: your phone, step by step. Makes a topic that nobody guesses, writes it into $DISPATCH_HOME/.env after asking, shows it
as a QR code, and sends a test. Whoever knows the topic reads along, so it is shown only to you at a terminal. The same way
writes a token, a webhook and quiet hours.

test: sends one notice by every channel, now, and says what that proves and what only you can see. Exit 0 when every channel
took it, 8 when one did not, 2 when none is set.

log: what was sent, when, by which channel, and what came of it; what still waits, and what was given up.
`,
  options,
  choices: { what: () => Object.keys(optionsByAction).filter(Boolean) },
  remedy: '`dispatch notify --help` tells what it takes.',
  async run(values, [word = '']) {
    refuseOtherOptions(word, values)
    if (word === 'setup') return setupNotifications(values)
    const config = readConfig()
    if (word === 'test' || values.retry) await refuseAgent(`notify ${word}`, 'It rings on somebody’s phone.')
    await startDeliverer(config) // After a restart of the machine nobody else may have looked yet.
    if (word === 'test') return runChannelTest(config, values.json ?? false)
    return word === 'log' ? printDeliveryLog(config, values) : printChannels(config, values.json ?? false)
  },
})

function refuseOtherOptions(word: string, values: OptionValues<typeof options>): void {
  const known = optionsByAction[word]
  const remedy = '`dispatch notify --help` tells what it takes.'
  if (known === undefined)
    throw new DispatchError(`notify knows setup, test and log, and not "${word}"`, {
      exitCode: exitCodes.usage,
      remedy,
    })
  const stranger = Object.keys(values).find(name => !known.some(one => one === name))
  if (stranger !== undefined)
    throw new DispatchError(`--${stranger} is nothing for \`dispatch notify${word && ` ${word}`}\``, {
      exitCode: exitCodes.usage,
      remedy,
    })
}
