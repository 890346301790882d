import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, toStorageError } from '#host/fs'
import { sanitize } from '#host/text.ts'
import {
  type ChannelHealth,
  type DeliveryLogEntry,
  defaultTiming,
  getOutboxFolders,
  listEnabledChannels,
  readChannelHealth,
  readDeliveryLog,
  startDeliverer,
} from '#notify'
import { formatTable, paint, print } from '../output/terminal.ts'

interface LogOptions {
  last?: string
  retry?: boolean
  json?: boolean
}

/** `dispatch notify log`: what was tried and what came of it, then what waits and what was given up. */
export async function printDeliveryLog(config: Config, { last = '20', retry, json }: LogOptions): Promise<number> {
  if (!/^[1-9]\d{0,5}$/.test(last))
    throw new DispatchError(`--last takes a number from 1, and not "${last}"`, { exitCode: exitCodes.usage })
  const again = retry ? await retryAll(config) : undefined
  const known = readDeliveryLog(config.home, Math.max(1000, Number(last)))
  const entries = known.slice(-Number(last))
  const health = readChannelHealth(config.home, config)
  if (json) {
    print(JSON.stringify({ entries, channels: health, ...(again && { retried: again }) }))
    return exitCodes.ok
  }
  print(entries.length === 0 ? 'Nothing was sent yet.' : formatTable(entries.map(formatRow)))
  const rest = health.flatMap(one => [...formatWaiting(one, config), ...formatDeadLetters(one, known)])
  if (rest.length > 0) print()
  for (const line of rest) print(line)
  if (again) print(`\n${formatRetried(again)}`)
  return exitCodes.ok
}

/** Put what was given up back among what waits. What is older than a message may get would be given up at once. */
async function retryAll(config: Config): Promise<{ moved: number; tooOld: number }> {
  const found = listEnabledChannels(config).flatMap(channel => {
    const { dead, waiting } = getOutboxFolders(config.home, channel)
    const names = listNames(dead).filter(name => /^\d{15}-.*\.json$/.test(name))
    return names.map(name => ({ name, from: path.join(dead, name), waiting }))
  })
  const young = found.filter(({ name }) => Date.now() - Number(name.slice(0, 15)) < defaultTiming.maxAgeMs)
  for (const { name, from, waiting } of young) moveBack(from, path.join(waiting, name))
  if (young.length > 0) await startDeliverer(config)
  return { moved: young.length, tooOld: found.length - young.length }
}

function moveBack(from: string, to: string): void {
  makePrivateFolder(path.dirname(to))
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toStorageError(from, error) // Gone: somebody else did the same.
  }
}

const outcomeTexts: Record<DeliveryLogEntry['what'], () => string> = {
  sent: () => paint('green', 'sent'),
  busy: () => paint('yellow', 'told to wait'),
  unreachable: () => paint('yellow', 'not reached'),
  refused: () => paint('red', 'refused'),
  held: () => paint('dim', 'held back'),
  dead: () => paint('red', 'given up'),
}

function formatRow({ at, sessionId, channel, what, reason, batchIds: together }: DeliveryLogEntry): string[] {
  const many = together === undefined ? '' : `(${together.length} as one)`
  return [
    paint('dim', formatLogTime(at)),
    sessionId,
    channel,
    outcomeTexts[what](),
    sanitize([reason, many].filter(Boolean).join(' ')),
  ]
}

/** `21 Nov 07:14:09`, on the machine's own clock. */
function formatLogTime(at: string): string {
  const [, month = '', day = ''] = new Date(at).toDateString().split(' ')
  return `${day} ${month} ${new Date(at).toTimeString().slice(0, 8)}`
}

/** What still waits on a channel, why, and until when. */
function formatWaiting(health: ChannelHealth, config: Config): string[] {
  const { channel, isOn, waiting, oldestWaitingAt, lastFailure, sentAt } = health
  if (!isOn || waiting === 0) return []
  const since = oldestWaitingAt === null ? '' : `, the oldest from ${formatLogTime(oldestWaitingAt)}`
  const why = lastFailure !== null && lastFailure.at > (sentAt ?? '') ? ` (${sanitize(lastFailure.reason)})` : ''
  return [
    paint('yellow', `${channel}: ${waiting} ${waiting === 1 ? 'waits' : 'wait'}${since}${why}`),
    `  Nothing to do: ${formatNextAttempt(health, config)}`,
  ]
}

/** What was given up on a channel, why, and what to do. */
function formatDeadLetters({ channel, dead }: ChannelHealth, known: DeliveryLogEntry[]): string[] {
  if (dead === 0) return []
  const why = known.findLast(entry => entry.channel === channel && entry.what === 'dead')?.reason ?? ''
  return [
    paint('red', `${channel}: ${dead} given up within the last day${why && ` (${sanitize(why)})`}`),
    '  `dispatch notify test` says whether it works now; then `dispatch notify log --retry` sends them again',
  ]
}

function formatRetried({ moved, tooOld }: { moved: number; tooOld: number }): string {
  if (moved + tooOld === 0) return 'Nothing was given up, so nothing is tried again.'
  const left = tooOld === 0 ? '' : ` ${tooOld} too old for that, and stay where they are.`
  return `${moved} on their way again: \`dispatch notify log\` shows what becomes of them.${left}`
}

function formatNextAttempt({ pausedUntil }: ChannelHealth, { QUIET_HOURS }: Config): string {
  if (pausedUntil !== null) return `it is tried again by itself, next at ${formatLogTime(pausedUntil)}`
  return QUIET_HOURS === ''
    ? 'it goes out by itself'
    : `it goes out by itself, outside the quiet hours (${QUIET_HOURS})`
}
