import {
  type Config,
  DispatchError,
  exits,
  newTopic,
  printable,
  readConfig,
  settings,
  variables,
} from '../../host/index.ts'
import { prove } from '../../notify/index.ts'
import { agreed, atTerminal, refuseAgent, typed } from '../confirm.ts'
import { paint, print } from '../terminal.ts'
import { channelTable } from './overview.ts'
import { testNotice } from './proof.ts'
import { qrLines, subscription } from './qr.ts'
import { checked, type Lines, writeSettings } from './settings-file.ts'
import { printProofs } from './test.ts'

/** What was asked for on the command line. */
interface Wishes {
  new?: boolean
  server?: string
  token?: boolean
  webhook?: boolean
  'quiet-hours'?: string
}

/** `dispatch notify setup`: a person at a terminal, their phone in hand. Answers the exit code. */
export async function setup(wishes: Wishes): Promise<number> {
  await refuseAgent('notify setup', 'Run it yourself, in a terminal that no agent has opened.')
  refusePipe()
  const before = readAround(wishes)
  print(`${channelTable(before)}\n`)
  const isForPhone = wishes.new || wishes.server !== undefined || wishes.token || !isForOther(wishes)
  const lines = { ...(isForPhone ? phoneLines(wishes, before) : {}), ...(await otherLines(wishes)) }
  refuseOverruled(Object.keys(lines))
  if (Object.keys(lines).length > 0) {
    announce(lines, before)
    if (!(await agreed('Write it?', 'notify setup'))) return done('Nothing was changed.')
    await writeSettings(before.home, lines)
    print('Written.\n')
  }
  const config = readConfig()
  if (isForPhone && !(await subscribe(config))) return done('Nothing was sent. Once you have: dispatch notify test')
  return proveAndAsk(config)
}

// --- what is set, and what shall be ---

const isForOther = (wishes: Wishes) => Boolean(wishes.webhook || wishes['quiet-hours'] !== undefined)

function refusePipe(): void {
  if (atTerminal()) return
  throw new DispatchError('notify setup shows a password and asks questions, and there is no terminal', {
    exit: exits.usage,
    remedy: 'Run it at a terminal; or put NTFY_TOPIC=… into .env yourself: `openssl rand -hex 16` makes a good one.',
  })
}

/** The settings as they are; where only those stand in the way that are about to be replaced, as they are without them. */
function readAround(wishes: Wishes): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const replaced = wishes.server === undefined ? ['NTFY_TOPIC'] : ['NTFY_TOPIC', 'NTFY_SERVER']
    refuseOverruled(replaced)
    const names = ['HOME', 'DISPATCH_HOME', ...Object.keys(settings.shape)]
    const config = readConfig({ ...variables(names), ...Object.fromEntries(replaced.map(name => [name, ''])) })
    print(`${paint('yellow', error.message)}\nThat line is about to be replaced.\n`)
    return config
  }
}

/** A topic where none is set, and what was asked for. */
function phoneLines(wishes: Wishes, before: Config): Lines {
  return {
    ...(wishes.server === undefined ? {} : { NTFY_SERVER: checked('NTFY_SERVER', wishes.server) }),
    ...(before.NTFY_TOPIC === '' || wishes.new ? { NTFY_TOPIC: newTopic() } : {}),
  }
}

/** Secrets are asked for: on the command line, every process of this machine could read them. */
async function otherLines(wishes: Wishes): Promise<Lines> {
  const ask = async (name: string, question: string) => ({ [name]: checked(name, await typed(`${question}: `)) })
  return {
    ...(wishes.token ? await ask('NTFY_TOKEN', 'Access token of the ntfy server (nothing: none)') : {}),
    ...(wishes.webhook ? await ask('WEBHOOK_URL', 'Address of the webhook (nothing: none)') : {}),
    ...(wishes['quiet-hours'] === undefined ? {} : { QUIET_HOURS: checked('QUIET_HOURS', wishes['quiet-hours']) }),
  }
}

/** The environment wins over `.env`, so a line for what is set there would change nothing. */
function refuseOverruled(names: string[]): void {
  const name = names.find(isFromOutside)
  if (name === undefined) return
  throw new DispatchError(
    `${name} is set in the environment, which wins over .env: a line there would change nothing`,
    {
      exit: exits.usage,
      remedy: `\`unset ${name}\`, take it out of where your shell sets it, then run the command again.`,
    },
  )
}

function isFromOutside(name: string): boolean {
  return Object.keys(variables([name])).length > 0
}

function announce(lines: Lines, { home, NTFY_TOPIC: before }: Config): void {
  print(`dispatch will write in ${home}/.env, and leave all else in it as it is:\n`)
  for (const [name, value] of Object.entries(lines)) {
    const isTyped = name === 'NTFY_TOKEN' || name === 'WEBHOOK_URL'
    print(`  ${name}=${isTyped && value !== '' ? '(as you typed it)' : printable(value)}`)
  }
  if (before !== '' && lines['NTFY_TOPIC'] !== undefined)
    print('\nThe topic from before hears nothing from then on: every phone subscribes anew.')
  print()
}

// --- the phone in hand ---

/** Words first, then the code: on a screen of 24 lines nothing of the code may be gone when the question stands there. */
async function subscribe({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): Promise<boolean> {
  const address = subscription(server, topic)
  print('Install the app "ntfy" on your phone, and subscribe to the topic below. It is a')
  print('password: whoever knows it can read your notices.\n')
  if (address !== undefined) print('  Android  scan the code with the camera; the app opens')
  print('  iPhone   (or a camera that shows mere text) tap + in the app, type the topic')
  if (!isNtfySh(server)) print('           and, under "Use another server", the server')
  print(address === undefined ? '' : `\n${qrLines(address).join('\n')}`)
  print(`server  ${paint('bold', server)}`)
  print(
    `topic   ${paint('bold', topic)}${isFromOutside('NTFY_TOPIC') ? '   (from the environment, not from .env)' : ''}`,
  )
  return agreed('Subscribed? Then a test goes out.', 'notify setup')
}

async function proveAndAsk(config: Config): Promise<number> {
  const proofs = await prove(testNotice('dispatch notify setup'), config)
  if (proofs.length === 0) return done('Done.')
  print()
  printProofs(proofs, config)
  if (!proofs.every(({ ok }) => ok)) return exits.upstream
  if (await agreed('\nDid it arrive?', 'notify setup'))
    return done('Done. `dispatch notify` shows at any time whether it still works.')
  printDoubts(config)
  return exits.upstream
}

function done(words: string): number {
  print(words)
  return exits.ok
}

/** The server has it, and nobody has seen it: what stands between the two. */
function printDoubts({ NTFY_SERVER: server, NTFY_TOPIC: topic }: Config): void {
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
