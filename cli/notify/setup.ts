import { type Config, newTopic, pickVariables, readConfig, settingsSchema } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { testChannels } from '#notify'
import { confirmAction, isAtTerminal, readTypedLine, refuseAgent } from '../input/confirm.ts'
import { paint, print } from '../output/terminal.ts'
import { type SettingValues, validateSetting, writeSettings } from './env-editor.ts'
import { formatChannelTable } from './overview.ts'
import { buildSubscribeUrl, renderQr } from './qr.ts'
import { printChannelTests } from './test.ts'
import { createTestNotification } from './test-result.ts'

/** What was asked for on the command line. */
interface SetupOptions {
  new?: boolean
  server?: string
  token?: boolean
  webhook?: boolean
  'quiet-hours'?: string
}

/** `dispatch notify setup`: a person at a terminal, their phone in hand. Answers the exit code. */
export async function setupNotifications(wishes: SetupOptions): Promise<number> {
  await refuseAgent('notify setup', 'Run it yourself, in a terminal that no agent has opened.')
  requireTerminal()
  const before = readConfigWithout(wishes)
  print(`${formatChannelTable(before)}\n`)
  const isForPhone = wishes.new || wishes.server !== undefined || wishes.token || !wantsOtherSettings(wishes)
  const lines = { ...(isForPhone ? planPhoneSettings(wishes, before) : {}), ...(await askOtherSettings(wishes)) }
  refuseEnvironmentSettings(Object.keys(lines))
  if (Object.keys(lines).length > 0) {
    printPlan(lines, before)
    if (!(await confirmAction('Write it?', 'notify setup'))) return printDone('Nothing was changed.')
    await writeSettings(before.home, lines)
    print('Written.\n')
  }
  const config = readConfig()
  if (isForPhone && !(await subscribe(config)))
    return printDone('Nothing was sent. Once you have: dispatch notify test')
  return testAndAsk(config)
}

// --- what is set, and what shall be ---

const wantsOtherSettings = (wishes: SetupOptions) => Boolean(wishes.webhook || wishes['quiet-hours'] !== undefined)

function requireTerminal(): void {
  if (isAtTerminal()) return
  throw new DispatchError('notify setup shows a password and asks questions, and there is no terminal', {
    exitCode: exitCodes.usage,
    remedy: 'Run it at a terminal; or put NTFY_TOPIC=… into .env yourself: `openssl rand -hex 16` makes a good one.',
  })
}

/** The settings as they are; where only those stand in the way that are about to be replaced, as they are without them. */
function readConfigWithout(wishes: SetupOptions): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const replaced = wishes.server === undefined ? ['NTFY_TOPIC'] : ['NTFY_TOPIC', 'NTFY_SERVER']
    refuseEnvironmentSettings(replaced)
    const names = ['HOME', 'DISPATCH_HOME', ...Object.keys(settingsSchema.shape)]
    const config = readConfig({ ...pickVariables(names), ...Object.fromEntries(replaced.map(name => [name, ''])) })
    print(`${paint('yellow', error.message)}\nThat line is about to be replaced.\n`)
    return config
  }
}

/** A topic where none is set, and what was asked for. */
function planPhoneSettings(wishes: SetupOptions, before: Config): SettingValues {
  return {
    ...(wishes.server === undefined ? {} : { NTFY_SERVER: validateSetting('NTFY_SERVER', wishes.server) }),
    ...(before.NTFY_TOPIC === '' || wishes.new ? { NTFY_TOPIC: newTopic() } : {}),
  }
}

/** Secrets are asked for: on the command line, every process of this machine could read them. */
async function askOtherSettings(wishes: SetupOptions): Promise<SettingValues> {
  const ask = async (name: string, question: string) => ({
    [name]: validateSetting(name, await readTypedLine(`${question}: `)),
  })
  return {
    ...(wishes.token ? await ask('NTFY_TOKEN', 'Access token of the ntfy server (nothing: none)') : {}),
    ...(wishes.webhook ? await ask('WEBHOOK_URL', 'Address of the webhook (nothing: none)') : {}),
    ...(wishes['quiet-hours'] === undefined
      ? {}
      : { QUIET_HOURS: validateSetting('QUIET_HOURS', wishes['quiet-hours']) }),
  }
}

/** The environment wins over `.env`, so a line for what is set there would change nothing. */
function refuseEnvironmentSettings(names: string[]): void {
  const name = names.find(isInEnvironment)
  if (name === undefined) return
  throw new DispatchError(
    `${name} is set in the environment, which wins over .env: a line there would change nothing`,
    {
      exitCode: exitCodes.usage,
      remedy: `\`unset ${name}\`, take it out of where your shell sets it, then run the command again.`,
    },
  )
}

function isInEnvironment(name: string): boolean {
  return Object.keys(pickVariables([name])).length > 0
}

function printPlan(lines: SettingValues, { home, NTFY_TOPIC: before }: Config): void {
  print(`dispatch will write in ${home}/.env, and leave all else in it as it is:\n`)
  for (const [name, value] of Object.entries(lines)) {
    const isTyped = name === 'NTFY_TOKEN' || name === 'WEBHOOK_URL'
    print(`  ${name}=${isTyped && value !== '' ? '(as you typed it)' : sanitize(value)}`)
  }
  if (before !== '' && lines['NTFY_TOPIC'] !== undefined)
    print('\nThe topic from before hears nothing from then on: every phone subscribes anew.')
  print()
}

// --- the phone in hand ---

/** Words first, then the code: on a screen of 24 lines nothing of the code may be gone when the question stands there. */
async function subscribe({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): Promise<boolean> {
  const address = buildSubscribeUrl(server, topic)
  print('Install the app "ntfy" on your phone, and subscribe to the topic below. It is a')
  print('password: whoever knows it can read your notices.\n')
  if (address !== undefined) print('  Android  scan the code with the camera; the app opens')
  print('  iPhone   (or a camera that shows mere text) tap + in the app, type the topic')
  if (!isNtfySh(server)) print('           and, under "Use another server", the server')
  print(address === undefined ? '' : `\n${renderQr(address).join('\n')}`)
  print(`server  ${paint('bold', server)}`)
  print(
    `topic   ${paint('bold', topic)}${isInEnvironment('NTFY_TOPIC') ? '   (from the environment, not from .env)' : ''}`,
  )
  return confirmAction('Subscribed? Then a test goes out.', 'notify setup')
}

async function testAndAsk(config: Config): Promise<number> {
  const proofs = await testChannels(createTestNotification('dispatch notify setup'), config)
  if (proofs.length === 0) return printDone('Done.')
  print()
  printChannelTests(proofs, config)
  if (!proofs.every(({ ok }) => ok)) return exitCodes.upstream
  if (await confirmAction('\nDid it arrive?', 'notify setup'))
    return printDone('Done. `dispatch notify` shows at any time whether it still works.')
  printPossibleCauses(config)
  return exitCodes.upstream
}

function printDone(words: string): number {
  print(words)
  return exitCodes.ok
}

/** The server has it, and nobody has seen it: what stands between the two. */
function printPossibleCauses({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): void {
  if (topic === '') return print('Then look at the notification settings of this machine: `dispatch doctor` has more.')
  const own = `
  - An iPhone hears of a server of your own only if that has \`upstream-base-url\` (docs.ntfy.sh, Configuration).`
  print(`
The server has taken it, so it is between server and phone:
  - Not in the app either? Then server or topic there are not the ones above.
  - In the app, but no banner? Allow notifications for ntfy in the phone's settings; look at Do Not Disturb, and on
    Android at its battery saving.
  - Late, on Android? Switch on "Instant delivery" in the topic's settings.${isNtfySh(server) ? '' : own}
Then try again: dispatch notify test`)
}

function isNtfySh(server: string): boolean {
  return new URL(server).host === 'ntfy.sh'
}
