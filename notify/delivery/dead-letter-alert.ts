import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { listNames } from '#host/fs'
import {
  type Channel,
  channels,
  getOutboxFolders,
  listEnabledChannels,
  type QueuedNotification,
  writeToOutbox,
} from '../outbox.ts'
import { parseIdFromName, parseTimeFromName } from './outbox-folders.ts'
import { readRetryState } from './retry-state.ts'

const DAY_MS = 24 * 3600 * 1000

/** What a channel gave up since then. Words about such deaths are not counted, or they would breed. */
export function countDeadLetters(
  home: string,
  channel: Channel,
  { since, now }: { since: number; now: number },
): number {
  const { dead } = getOutboxFolders(home, channel)
  const names = listNames(dead).filter(
    name => now - parseTimeFromName(name) < 5 * DAY_MS && !parseIdFromName(name).startsWith('outbox-'),
  )
  const dated = names.map(name => fs.statSync(path.join(dead, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return dated.filter(at => at > since).length
}

/**
 * Say on another channel that this one has given up notices: once a day, and never of such words themselves. False while no
 * other channel is well enough to say it.
 */
export function alertDeadLetters(home: string, channel: Channel, { config, reason, now }: AlertContext): boolean {
  const deaths = countDeadLetters(home, channel, { since: now - DAY_MS, now })
  const message = createDeadLetterAlert(channel, deaths, { reason, now })
  const laidOut = channels.flatMap(each => Object.values(getOutboxFolders(home, each)).flatMap(listNames))
  if (deaths === 0 || laidOut.some(name => parseIdFromName(name) === message.id)) return true
  const other = listEnabledChannels(config).find(each => each !== channel && isHealthy(home, each, now))
  if (other !== undefined) writeToOutbox(home, message, [other])
  return other !== undefined
}

interface AlertContext {
  config: Config
  reason: string
  now: number
}

function isHealthy(home: string, channel: Channel, now: number): boolean {
  const { pausedUntilMs, failures } = readRetryState(home, channel)
  return pausedUntilMs <= now && failures === 0 && countDeadLetters(home, channel, { since: now - DAY_MS, now }) === 0
}

function createDeadLetterAlert(
  channel: Channel,
  deaths: number,
  { reason, now }: { reason: string; now: number },
): QueuedNotification {
  const at = new Date(now).toISOString()
  const notification = {
    title: 'Dispatch: notices are lost',
    body: `${channel} has not taken ${deaths === 1 ? 'a notice' : `${deaths} notices`}: ${reason}`.slice(0, 400),
    priority: 4,
    tags: ['warning'],
  }
  return { id: `outbox-${channel}-${at.slice(0, 10)}`, sessionId: 'outbox', at, deliverBy: null, notification }
}
