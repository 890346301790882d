import fs from 'node:fs'
import path from 'node:path'
import {
  type Config,
  DispatchError,
  exits,
  isErrno,
  makePrivate,
  namesIn,
  printable,
  storageError,
} from '../../host/index.ts'
import {
  type ChannelHealth,
  channelsOf,
  type Entry,
  foldersOf,
  healthOf,
  readLedger,
  usual,
  wake,
} from '../../notify/index.ts'
import { paint, print, table } from '../terminal.ts'

interface Wishes {
  last?: string
  retry?: boolean
  json?: boolean
}

/** `dispatch notify log`: what was tried and what came of it, then what waits and what was given up. */
export async function printLog(config: Config, { last = '20', retry, json }: Wishes): Promise<number> {
  if (!/^[1-9]\d{0,5}$/.test(last))
    throw new DispatchError(`--last takes a number from 1, and not "${last}"`, { exit: exits.usage })
  const again = retry ? await retryAll(config) : undefined
  const known = readLedger(config.home, Math.max(1000, Number(last)))
  const entries = known.slice(-Number(last))
  const health = healthOf(config.home, config)
  if (json) {
    print(JSON.stringify({ entries, channels: health, ...(again && { retried: again }) }))
    return exits.ok
  }
  print(entries.length === 0 ? 'Nothing was sent yet.' : table(entries.map(row)))
  const rest = health.flatMap(one => [...waitingLines(one, config), ...deadLines(one, known)])
  if (rest.length > 0) print()
  for (const line of rest) print(line)
  if (again) print(`\n${retryWords(again)}`)
  return exits.ok
}

/** Put what was given up back among what waits. What is older than a message may get would be given up at once. */
async function retryAll(config: Config): Promise<{ moved: number; tooOld: number }> {
  const found = channelsOf(config).flatMap(channel => {
    const { dead, waiting } = foldersOf(config.home, channel)
    const names = namesIn(dead).filter(name => /^\d{15}-.*\.json$/.test(name))
    return names.map(name => ({ name, from: path.join(dead, name), waiting }))
  })
  const young = found.filter(({ name }) => Date.now() - Number(name.slice(0, 15)) < usual.age)
  for (const { name, from, waiting } of young) moveBack(from, path.join(waiting, name))
  if (young.length > 0) await wake(config)
  return { moved: young.length, tooOld: found.length - young.length }
}

function moveBack(from: string, to: string): void {
  makePrivate(path.dirname(to))
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw storageError(from, error) // Gone: somebody else did the same.
  }
}

const words: Record<Entry['what'], () => string> = {
  sent: () => paint('green', 'sent'),
  busy: () => paint('yellow', 'told to wait'),
  unreachable: () => paint('yellow', 'not reached'),
  refused: () => paint('red', 'refused'),
  held: () => paint('dim', 'held back'),
  dead: () => paint('red', 'given up'),
}

function row({ at, of, channel, what, why, with: together }: Entry): string[] {
  const many = together === undefined ? '' : `(${together.length} as one)`
  return [paint('dim', moment(at)), of, channel, words[what](), printable([why, many].filter(Boolean).join(' '))]
}

/** `21 Nov 07:14:09`, on the machine's own clock. */
function moment(at: string): string {
  const [, month = '', day = ''] = new Date(at).toDateString().split(' ')
  return `${day} ${month} ${new Date(at).toTimeString().slice(0, 8)}`
}

/** What still waits on a channel, why, and until when. */
function waitingLines(health: ChannelHealth, config: Config): string[] {
  const { channel, on, waiting, oldest, trouble, sentAt } = health
  if (!on || waiting === 0) return []
  const since = oldest === null ? '' : `, the oldest from ${moment(oldest)}`
  const why = trouble !== null && trouble.at > (sentAt ?? '') ? ` (${printable(trouble.why)})` : ''
  return [
    paint('yellow', `${channel}: ${waiting} ${waiting === 1 ? 'waits' : 'wait'}${since}${why}`),
    `  Nothing to do: ${whenNext(health, config)}`,
  ]
}

/** What was given up on a channel, why, and what to do. */
function deadLines({ channel, dead }: ChannelHealth, known: Entry[]): string[] {
  if (dead === 0) return []
  const why = known.findLast(entry => entry.channel === channel && entry.what === 'dead')?.why ?? ''
  return [
    paint('red', `${channel}: ${dead} given up within the last day${why && ` (${printable(why)})`}`),
    '  `dispatch notify test` says whether it works now; then `dispatch notify log --retry` sends them again',
  ]
}

function retryWords({ moved, tooOld }: { moved: number; tooOld: number }): string {
  if (moved + tooOld === 0) return 'Nothing was given up, so nothing is tried again.'
  const left = tooOld === 0 ? '' : ` ${tooOld} too old for that, and stay where they are.`
  return `${moved} on their way again: \`dispatch notify log\` shows what becomes of them.${left}`
}

function whenNext({ pausedUntil }: ChannelHealth, { QUIET_HOURS }: Config): string {
  if (pausedUntil !== null) return `it is tried again by itself, next at ${moment(pausedUntil)}`
  return QUIET_HOURS === ''
    ? 'it goes out by itself'
    : `it goes out by itself, outside the quiet hours (${QUIET_HOURS})`
}
