import { type Config, createTopic, pickVariables, readConfig, settingsSchema } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { UsageError } from '../command.ts'
import { confirmAction, isAtTerminal, readTypedLine, refuseAgent } from '../input/confirm.ts'
import { paint, print } from '../output/terminal.ts'
import { type SettingValues, validateSetting, writeSettings } from './env-editor.ts'
import { formatChannelTable } from './overview.ts'
import { isFromEnvironment, subscribePhone, testAndAsk } from './phone.ts'

interface SetupOptions {
  new?: boolean
  server?: string
  token?: boolean
  webhook?: boolean
  'quiet-hours'?: string
}

/** `dispatch notify setup`: for a person at a terminal, with their phone at hand. Returns the exit code. */
export async function setupNotifications(options: SetupOptions): Promise<number> {
  await refuseAgent('notify setup')
  if (!isAtTerminal())
    throw new UsageError(
      'notify setup shows a password and asks questions, so it needs a terminal',
      'Run it in a terminal; or put NTFY_TOPIC=… into .env yourself (`openssl rand -hex 16` makes a topic).',
    )
  const before = readConfigToReplace(options)
  print(`${formatChannelTable(before)}\n`)
  const isOther = options.webhook || options['quiet-hours'] !== undefined
  const hasPhone = options.new || options.server !== undefined || options.token || !isOther
  const topic = hasPhone && (before.NTFY_TOPIC === '' || options.new) ? { NTFY_TOPIC: createTopic() } : {}
  const settings = await askSettings(options, topic)
  refuseEnvironmentSettings(Object.keys(settings))
  if (Object.keys(settings).length > 0) {
    printPlan(settings, before)
    if (!(await confirmAction('Write it?', 'notify setup'))) return finish('Nothing was changed.')
    await writeSettings(before.home, settings)
    print('Written.\n')
  }
  const config = readConfig()
  if (hasPhone && !(await subscribePhone(config)))
    return finish('Nothing was sent. When you have subscribed: dispatch notify test')
  return testAndAsk(config)
}

// --- internal ---

/** The settings. A setting that is invalid and about to be replaced is left out. */
function readConfigToReplace(options: SetupOptions): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const replaced = options.server === undefined ? ['NTFY_TOPIC'] : ['NTFY_TOPIC', 'NTFY_SERVER']
    refuseEnvironmentSettings(replaced)
    const names = ['HOME', 'DISPATCH_HOME', ...Object.keys(settingsSchema.shape)]
    const config = readConfig({ ...pickVariables(names), ...Object.fromEntries(replaced.map(name => [name, ''])) })
    print(`${paint('yellow', error.message)}\nThat line is about to be replaced.\n`)
    return config
  }
}

/** What the options ask for, with the topic. Secrets are typed: every process of this machine can read a command line. */
async function askSettings(options: SetupOptions, topic: SettingValues): Promise<SettingValues> {
  const ask = async (name: string, question: string) => ({
    [name]: validateSetting(name, await readTypedLine(`${question} (Enter for none): `)),
  })
  const { server, 'quiet-hours': quietHours } = options
  return {
    ...(server === undefined ? {} : { NTFY_SERVER: validateSetting('NTFY_SERVER', server) }),
    ...topic,
    ...(options.token ? await ask('NTFY_TOKEN', 'Access token of the ntfy server') : {}),
    ...(options.webhook ? await ask('WEBHOOK_URL', 'Address of the webhook') : {}),
    ...(quietHours === undefined ? {} : { QUIET_HOURS: validateSetting('QUIET_HOURS', quietHours) }),
  }
}

/** The environment wins over `.env`, so a line there would change nothing. */
function refuseEnvironmentSettings(names: string[]): void {
  const name = names.find(isFromEnvironment)
  if (name === undefined) return
  throw new UsageError(
    `${name} is set in the environment, which wins over .env`,
    `\`unset ${name}\`, remove it from your shell's startup file, then run the command again.`,
  )
}

function printPlan(settings: SettingValues, { home, NTFY_TOPIC: topic }: Config): void {
  print(`dispatch will write these lines to ${home}/.env; the rest of the file stays as it is:\n`)
  for (const [name, value] of Object.entries(settings)) {
    const isSecret = name === 'NTFY_TOKEN' || name === 'WEBHOOK_URL'
    print(`  ${name}=${isSecret && value !== '' ? '(as you typed it)' : sanitize(value)}`)
  }
  if (topic !== '' && settings['NTFY_TOPIC'] !== undefined)
    print('\nThe old topic gets no more notifications: subscribe every phone again.')
  print()
}

function finish(text: string): number {
  print(text)
  return exitCodes.ok
}
