import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { listNames } from '#host/fs'
import { formatCount } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import {
  type Channel,
  channels,
  getOutboxFolders,
  listEnabledChannels,
  parseIdFromName,
  parseTimeFromName,
  type QueuedNotification,
  writeToOutbox,
} from '../outbox.ts'
import { readRetryState } from './retry-state.ts'

/** Alerts about dead letters have this id. They are not counted, or each alert could cause another. */
const ALERT_SESSION_ID = 'outbox'
/** Longer than the 3 days for which a notification is tried, plus the day that is counted. */
const MAX_EVENT_AGE_MS = 5 * DAY_MS
const MAX_BODY_CHARS = 400

/** Count the notifications that a channel gave up since then. */
export function countDeadLetters(
  home: string,
  channel: Channel,
  { since, now }: { since: number; now: number },
): number {
  const { dead } = getOutboxFolders(home, channel)
  const names = listNames(dead).filter(
    name =>
      now - parseTimeFromName(name) < MAX_EVENT_AGE_MS && !parseIdFromName(name).startsWith(`${ALERT_SESSION_ID}-`),
  )
  const times = names.map(name => fs.statSync(path.join(dead, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return times.filter(time => time > since).length
}

/**
 * Report the dead letters of a channel on another one, once a day. Returns false while no other channel is healthy, so that
 * the caller tries again later.
 */
export function alertDeadLetters(
  home: string,
  channel: Channel,
  { config, reason, now }: { config: Config; reason: string; now: number },
): boolean {
  const count = countDeadLetters(home, channel, { since: now - DAY_MS, now })
  if (count === 0) return true
  const body = `${formatCount(count, 'notification')} did not reach the ${channel}: ${reason}`
  const alert = createAlert(channel, body, new Date(now).toISOString())
  const queued = channels.flatMap(other => Object.values(getOutboxFolders(home, other)).flatMap(listNames))
  if (queued.some(name => parseIdFromName(name) === alert.id)) return true
  const target = listEnabledChannels(config).find(other => other !== channel && isHealthy(home, other, now))
  if (target !== undefined) writeToOutbox(home, alert, [target])
  return target !== undefined
}

// --- internal ---

function isHealthy(home: string, channel: Channel, now: number): boolean {
  const { pausedUntilMs, failures } = readRetryState(home, channel)
  return pausedUntilMs <= now && failures === 0 && countDeadLetters(home, channel, { since: now - DAY_MS, now }) === 0
}

function createAlert(channel: Channel, body: string, at: string): QueuedNotification {
  const next = '. Next: dispatch notify log'
  return {
    id: `${ALERT_SESSION_ID}-${channel}-${at.slice(0, 10)}`,
    sessionId: ALERT_SESSION_ID,
    at,
    deliverBy: null,
    notification: {
      title: 'Dispatch: notifications lost',
      body: `${body.slice(0, MAX_BODY_CHARS - next.length)}${next}`,
      priority: 4,
      tags: ['warning'],
    },
  }
}
