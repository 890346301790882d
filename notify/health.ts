import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { isErrno } from '#host/error.ts'
import { listNames, readJson } from '#host/fs'
import { countDeadLetters } from './delivery/dead-letter-alert.ts'
import { parseTimeFromName } from './delivery/outbox-folders.ts'
import { quietUntil } from './delivery/quiet-hours.ts'
import { readRetryState } from './delivery/retry-state.ts'
import { type Channel, channels, getOutboxFolders, listEnabledChannels, QueuedNotification } from './outbox.ts'

/** How a channel does, for a person to look at. Times as ISO, null where there is none. */
export interface ChannelHealth {
  channel: Channel
  isOn: boolean
  waiting: number
  oldestWaitingAt: string | null
  /** Given up within the last day. */
  dead: number
  sentAt: string | null
  lastFailure: { at: string; reason: string } | null
  pausedUntil: string | null
  /** What is wrong, in a sentence; undefined while all is well. */
  problem: string | undefined
}

/** How each channel does, by a look at its folders: cheap enough for a page. */
export function readChannelHealth(home: string, config: Config, now = Date.now()): ChannelHealth[] {
  const on = listEnabledChannels(config)
  return channels.map(channel => {
    const folders = getOutboxFolders(home, channel)
    const folder = folders.waiting
    const [broken] = Object.values(folders).flatMap(each => findFolderProblem(each) ?? [])
    const names = broken === undefined ? listNames(folder).filter(name => parseTimeFromName(name) > 0) : []
    const { sentAt, lastFailure, pausedUntilMs } = readRetryState(home, channel)
    const seen = {
      channel,
      isOn: on.includes(channel),
      waiting: names.length,
      oldestWaitingAt: names[0] === undefined ? null : toIso(parseTimeFromName(names[0])),
      dead: broken ? 0 : countDeadLetters(home, channel, { since: now - DAY_MS, now }),
      sentAt: sentAt === null ? null : toIso(sentAt),
      lastFailure:
        lastFailure === null || lastFailure.at <= (sentAt ?? 0) ? null : { ...lastFailure, at: toIso(lastFailure.at) },
      pausedUntil: pausedUntilMs > now && names.length > 0 ? toIso(pausedUntilMs) : null,
    }
    if (broken !== undefined) return { ...seen, problem: seen.isOn ? broken : undefined }
    const late = findLate(folder, names, { quietHours: config.QUIET_HOURS, now })
    const lost = countDeadLetters(home, channel, { since: Math.max(now - DAY_MS, sentAt ?? 0), now })
    return { ...seen, problem: seen.isOn ? describeProblem(seen, late, lost) : undefined }
  })
}

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Why no message can be put there, if that is so. A folder that is not there yet is made with the first one. */
function findFolderProblem(folder: string): string | undefined {
  try {
    if (!fs.statSync(folder).isDirectory()) return `${folder} is no folder, so no notice is sent`
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
    return undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    return `${folder} cannot be used (${error instanceof Error && 'code' in error ? error.code : error}), so no notice is sent`
  }
}

/** Minutes for which the oldest message that quiet hours do not hold has waited, if that is more than five. */
function findLate(folder: string, names: string[], { quietHours, now }: { quietHours: string; now: number }) {
  for (const name of names.filter(each => now - parseTimeFromName(each) >= 5 * MINUTE_MS).slice(0, 100)) {
    const file = path.join(folder, name)
    const isFile = fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()
    const message = isFile ? QueuedNotification.safeParse(readJson(file)).data : undefined
    const isHeld = [now, now - 5 * MINUTE_MS].some(
      then => message && quietUntil(message, quietHours, then) !== undefined,
    )
    if (message && !isHeld) return Math.floor((now - Date.parse(message.at)) / MINUTE_MS)
  }
  return undefined
}

/** `lost`: what was given up since something was last taken; what was given up before is for the log. */
function describeProblem(
  seen: Omit<ChannelHealth, 'problem'>,
  late: number | undefined,
  lost: number,
): string | undefined {
  const because = seen.lastFailure === null ? '' : `: ${seen.lastFailure.reason}`
  if (late !== undefined)
    return `${formatCount(seen.waiting)} for the ${seen.channel} ${seen.waiting === 1 ? 'waits' : 'wait'}, the oldest for ${formatMinutes(late)}${because}`
  if (lost > 0) return `the ${seen.channel} has not taken ${formatCount(lost)} within the last day${because}`
  return undefined
}

function formatCount(count: number): string {
  return count === 1 ? '1 notice' : `${count} notices`
}

function formatMinutes(minutes: number): string {
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

function toIso(time: number): string {
  return new Date(time).toISOString()
}
