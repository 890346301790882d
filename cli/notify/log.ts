import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { exitCodes, isErrno } from '#host/error.ts'
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
import { UsageError } from '../command.ts'
import { formatTable, paint, print } from '../output/terminal.ts'

/** `dispatch notify log`: each attempt and its outcome, then what waits and what was given up. Returns the exit code. */
export async function printDeliveryLog(
  config: Config,
  { last = '20', retry, json }: { last?: string; retry?: boolean; json?: boolean },
): Promise<number> {
  if (!/^[1-9]\d{0,5}$/.test(last)) throw new UsageError(`--last takes a number from 1, not "${last}"`)
  const retried = retry ? await retryDeadLetters(config) : undefined
  const known = readDeliveryLog(config.home, Math.max(READ_ENTRIES, Number(last)))
  const entries = known.slice(-Number(last))
  const channels = readChannelHealth(config.home, config)
  if (json) {
    print(JSON.stringify({ entries, channels, ...(retried && { retried }) }))
    return exitCodes.ok
  }
  print(entries.length === 0 ? 'Nothing was sent yet.' : formatTable(entries.map(formatRow)))
  const problems = channels.flatMap(health => [...formatWaiting(health, config), ...formatDeadLetters(health, known)])
  if (problems.length > 0) print()
  for (const line of problems) print(line)
  if (retried) print(`\n${formatRetried(retried)}`)
  return exitCodes.ok
}

// --- internal ---

/** The reason why a notification was given up may be further back than what is printed. */
const READ_ENTRIES = 1000

const resultTexts = {
  sent: ['green', 'sent'],
  busy: ['yellow', 'server busy'],
  unreachable: ['yellow', 'unreachable'],
  refused: ['red', 'refused'],
  deferred: ['dim', 'deferred'],
  dead: ['red', 'given up'],
} as const

function formatRow({ at, sessionId, channel, result, reason, batchIds }: DeliveryLogEntry): string[] {
  const [style, text] = resultTexts[result]
  const batch = batchIds === undefined ? '' : `(${batchIds.length} in one message)`
  return [
    paint('dim', formatLogTime(at)),
    sessionId,
    channel,
    paint(style, text),
    sanitize([reason, batch].filter(Boolean).join(' ')),
  ]
}

/** `21 Nov 07:14:09`, local time. */
function formatLogTime(time: string): string {
  const [, month = '', day = ''] = new Date(time).toDateString().split(' ')
  return `${day} ${month} ${new Date(time).toTimeString().slice(0, 8)}`
}

function formatWaiting(health: ChannelHealth, config: Config): string[] {
  const { channel, isOn, waiting, oldestWaitingAt, lastFailure, sentAt } = health
  if (!isOn || waiting === 0) return []
  const since = oldestWaitingAt === null ? '' : `, the oldest since ${formatLogTime(oldestWaitingAt)}`
  const why = lastFailure !== null && lastFailure.at > (sentAt ?? '') ? ` (${sanitize(lastFailure.reason)})` : ''
  return [
    paint('yellow', `${channel}: ${waiting} waiting${since}${why}`),
    `  Nothing to do: ${describeNextAttempt(health, config)}`,
  ]
}

function describeNextAttempt({ pausedUntil }: ChannelHealth, { QUIET_HOURS: quietHours }: Config): string {
  if (pausedUntil !== null) return `dispatch tries again at ${formatLogTime(pausedUntil)}`
  return quietHours === '' ? 'dispatch sends it' : `dispatch sends it outside the quiet hours (${quietHours})`
}

function formatDeadLetters({ channel, dead }: ChannelHealth, known: DeliveryLogEntry[]): string[] {
  if (dead === 0) return []
  const why = known.findLast(entry => entry.channel === channel && entry.result === 'dead')?.reason ?? ''
  return [
    paint('red', `${channel}: ${dead} given up in the last 24 hours${why && ` (${sanitize(why)})`}`),
    '  `dispatch notify test` shows whether the channel works; then `dispatch notify log --retry` sends them again',
  ]
}

function formatRetried({ moved, tooOld }: { moved: number; tooOld: number }): string {
  if (moved + tooOld === 0) return 'Nothing was given up, so there is nothing to send again.'
  const old = tooOld === 0 ? '' : ` ${tooOld} too old to send.`
  return `${moved} queued again; \`dispatch notify log\` shows the outcome.${old}`
}

/** Queue what was given up again. A notification past its maximum age would be given up at once, so it stays. */
async function retryDeadLetters(config: Config): Promise<{ moved: number; tooOld: number }> {
  const letters = listEnabledChannels(config).flatMap(channel => {
    const { dead, waiting } = getOutboxFolders(config.home, channel)
    const names = listNames(dead).filter(name => letterName.test(name))
    return names.map(name => ({ name, from: path.join(dead, name), waiting }))
  })
  const young = letters.filter(({ name }) => Date.now() - Number(name.slice(0, 15)) < defaultTiming.maxAgeMs)
  for (const { name, from, waiting } of young) moveLetter(from, path.join(waiting, name))
  if (young.length > 0) await startDeliverer(config)
  return { moved: young.length, tooOld: letters.length - young.length }
}

/** A name begins with the time in milliseconds: `001795951934214-2026-11-20-fix-login-a3f9-7.json`. */
const letterName = /^\d{15}-.*\.json$/

function moveLetter(from: string, to: string): void {
  makePrivateFolder(path.dirname(to))
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toStorageError(from, error) // Another process has moved it.
  }
}
