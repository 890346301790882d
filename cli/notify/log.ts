import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { type ChannelHealth, type DeliveryLogEntry, readChannelHealth, readDeliveryLog } from '#notify'
import { UsageError } from '../command.ts'
import { formatTable, paint, print } from '../output/terminal.ts'
import { type RetryCount, retryDeadLetters } from './retry.ts'

interface LogOptions {
  last?: string
  retry?: boolean
  json?: boolean
}

/** `dispatch notify log`: each attempt and its outcome, then what waits and what was given up. Returns the exit code. */
export async function printDeliveryLog(config: Config, { last = '20', retry, json }: LogOptions): Promise<number> {
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

const resultTexts: Record<DeliveryLogEntry['result'], () => string> = {
  sent: () => paint('green', 'sent'),
  busy: () => paint('yellow', 'server busy'),
  unreachable: () => paint('yellow', 'unreachable'),
  refused: () => paint('red', 'refused'),
  deferred: () => paint('dim', 'deferred'),
  dead: () => paint('red', 'given up'),
}

function formatRow({ at, sessionId, channel, result, reason, batchIds }: DeliveryLogEntry): string[] {
  const batch = batchIds === undefined ? '' : `(${batchIds.length} in one message)`
  return [
    paint('dim', formatLogTime(at)),
    sessionId,
    channel,
    resultTexts[result](),
    sanitize([reason, batch].filter(Boolean).join(' ')),
  ]
}

/** `21 Nov 07:14:09`, local time. */
function formatLogTime(time: string): string {
  const [, month = '', day = ''] = new Date(time).toDateString().split(' ')
  return `${day} ${month} ${new Date(time).toTimeString().slice(0, 8)}`
}

/** What waits on a channel, why, and until when. */
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

/** What was given up on a channel, why, and what to do. */
function formatDeadLetters({ channel, dead }: ChannelHealth, known: DeliveryLogEntry[]): string[] {
  if (dead === 0) return []
  const why = known.findLast(entry => entry.channel === channel && entry.result === 'dead')?.reason ?? ''
  return [
    paint('red', `${channel}: ${dead} given up in the last 24 hours${why && ` (${sanitize(why)})`}`),
    '  `dispatch notify test` shows whether the channel works; then `dispatch notify log --retry` sends them again',
  ]
}

function formatRetried({ moved, tooOld }: RetryCount): string {
  if (moved + tooOld === 0) return 'Nothing was given up, so there is nothing to send again.'
  const old = tooOld === 0 ? '' : ` ${tooOld} too old to send.`
  return `${moved} queued again; \`dispatch notify log\` shows the outcome.${old}`
}
