import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { isErrno } from '#host/error.ts'
import { readJson } from '#host/fs'
import { formatCount } from '#host/text.ts'
import { DAY_MS, MINUTE_MS } from '#host/time.ts'
import { countDeadLetters } from './delivery/dead-letter-alert.ts'
import { computeQuietEndMs } from './delivery/quiet-hours.ts'
import { readRetryState } from './delivery/retry-state.ts'
import {
  type Channel,
  channels,
  getOutboxFolders,
  listEnabledChannels,
  listNotifications,
  parseTimeFromName,
  QueuedNotification,
} from './outbox.ts'

/** The state of a channel, for people. Times are ISO 8601; null means that it never happened, or does not apply. */
export interface ChannelHealth {
  channel: Channel
  isOn: boolean
  /** How many notifications wait. */
  waiting: number
  oldestWaitingAt: string | null
  /** Dead letters of the last 24 hours. */
  dead: number
  sentAt: string | null
  /** The last failure, if nothing was sent since. */
  lastFailure: { at: string; reason: string } | null
  pausedUntil: string | null
  /** What is wrong, in one sentence; undefined while the channel works or is off. */
  problem: string | undefined
}

/** Read the state of every channel from its folders. Cheap enough to do for each page. */
export function readChannelHealth(home: string, config: Config, now = Date.now()): ChannelHealth[] {
  const enabled = listEnabledChannels(config)
  return channels.map(channel => {
    const folders = getOutboxFolders(home, channel)
    const [folderProblem] = Object.values(folders).flatMap(folder => findFolderProblem(folder) ?? [])
    const names = folderProblem === undefined ? listNotifications(folders.waiting) : []
    const { sentAt, lastFailure, pausedUntilMs } = readRetryState(home, channel)
    const health = {
      channel,
      isOn: enabled.includes(channel),
      waiting: names.length,
      oldestWaitingAt: names[0] === undefined ? null : toIso(parseTimeFromName(names[0])),
      dead: folderProblem ? 0 : countDeadLetters(home, channel, { since: now - DAY_MS, now }),
      sentAt: sentAt === null ? null : toIso(sentAt),
      lastFailure:
        lastFailure === null || lastFailure.at <= (sentAt ?? 0) ? null : { ...lastFailure, at: toIso(lastFailure.at) },
      pausedUntil: pausedUntilMs > now && names.length > 0 ? toIso(pausedUntilMs) : null,
    }
    if (!health.isOn || folderProblem !== undefined)
      return { ...health, problem: health.isOn ? folderProblem : undefined }
    const lateMinutes = findLateMinutes(folders.waiting, names, { quietHours: config.QUIET_HOURS, now })
    // Dead letters from before the last success are history: the delivery log has them.
    const lostCount = countDeadLetters(home, channel, { since: Math.max(now - DAY_MS, sentAt ?? 0), now })
    return { ...health, problem: describeProblem(health, lateMinutes, lostCount) }
  })
}

// --- internal ---

const LATE_MS = 5 * MINUTE_MS
const MAX_FILES_READ = 100

/** Why a folder cannot be used. A missing folder is no problem: the first notification creates it. */
function findFolderProblem(folder: string): string | undefined {
  try {
    if (!fs.statSync(folder).isDirectory()) return `${folder} is not a folder, so nothing can be sent`
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
    return undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    const code = error instanceof Error && 'code' in error ? error.code : error
    return `${folder} cannot be used (${code}), so nothing can be sent`
  }
}

/** The age in minutes of the oldest notification that is late and that quiet hours do not explain. */
function findLateMinutes(
  folder: string,
  names: string[],
  { quietHours, now }: { quietHours: string; now: number },
): number | undefined {
  for (const name of names.filter(name => now - parseTimeFromName(name) >= LATE_MS).slice(0, MAX_FILES_READ)) {
    const file = path.join(folder, name)
    const isFile = fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()
    const queued = isFile ? QueuedNotification.safeParse(readJson(file)).data : undefined
    if (queued === undefined) continue
    const isDeferred = [now, now - LATE_MS].some(time => computeQuietEndMs(queued, quietHours, time) !== undefined)
    if (!isDeferred) return Math.floor((now - Date.parse(queued.at)) / MINUTE_MS)
  }
  return undefined
}

function describeProblem(
  { channel, waiting, lastFailure }: Omit<ChannelHealth, 'problem'>,
  lateMinutes: number | undefined,
  lostCount: number,
): string | undefined {
  const reason = lastFailure === null ? '' : `: ${lastFailure.reason}`
  if (lateMinutes !== undefined) {
    const age = `${waiting === 1 ? 'has waited' : 'wait, the oldest'} for ${formatMinutes(lateMinutes)}`
    return `${formatCount(waiting, 'notification')} to the ${channel} ${age}${reason}`
  }
  if (lostCount === 0) return undefined
  return `${formatCount(lostCount, 'notification')} did not reach the ${channel} in the last 24 hours${reason}`
}

function formatMinutes(minutes: number): string {
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
