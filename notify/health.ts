import fs from 'node:fs'
import path from 'node:path'
import { type Config, isErrno, namesIn, readJson } from '../host/index.ts'
import { deathsOf } from './deaths.ts'
import { type Channel, channels, channelsOf, foldersOf, Message } from './outbox.ts'
import { heldUntil } from './quiet.ts'
import { timeIn } from './shelf.ts'
import { readStanding } from './standing.ts'

/** How a channel does, for a person to look at. Times as ISO, null where there is none. */
export interface ChannelHealth {
  channel: Channel
  on: boolean
  waiting: number
  oldest: string | null
  /** Given up within the last day. */
  dead: number
  sentAt: string | null
  trouble: { at: string; why: string } | null
  pausedUntil: string | null
  /** What is wrong, in a sentence; undefined while all is well. */
  sick: string | undefined
}

/** How each channel does, by a look at its folders: cheap enough for a page. */
export function healthOf(home: string, config: Config, now = Date.now()): ChannelHealth[] {
  const on = channelsOf(config)
  return channels.map(channel => {
    const folders = foldersOf(home, channel)
    const folder = folders.waiting
    const [broken] = Object.values(folders).flatMap(each => brokenAt(each) ?? [])
    const names = broken === undefined ? namesIn(folder).filter(name => timeIn(name) > 0) : []
    const { sentAt, trouble, until } = readStanding(home, channel)
    const seen = {
      channel,
      on: on.includes(channel),
      waiting: names.length,
      oldest: names[0] === undefined ? null : iso(timeIn(names[0])),
      dead: broken ? 0 : deathsOf(home, channel, { since: now - day, now }),
      sentAt: sentAt === null ? null : iso(sentAt),
      trouble: trouble === null || trouble.at <= (sentAt ?? 0) ? null : { ...trouble, at: iso(trouble.at) },
      pausedUntil: until > now && names.length > 0 ? iso(until) : null,
    }
    if (broken !== undefined) return { ...seen, sick: seen.on ? broken : undefined }
    const late = lateOf(folder, names, { quietHours: config.QUIET_HOURS, now })
    const lost = deathsOf(home, channel, { since: Math.max(now - day, sentAt ?? 0), now })
    return { ...seen, sick: seen.on ? sickness(seen, late, lost) : undefined }
  })
}

const minute = 60 * 1000
const day = 24 * 60 * minute

/** Why no message can be put there, if that is so. A folder that is not there yet is made with the first one. */
function brokenAt(folder: string): string | undefined {
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
function lateOf(folder: string, names: string[], { quietHours, now }: { quietHours: string; now: number }) {
  for (const name of names.filter(each => now - timeIn(each) >= 5 * minute).slice(0, 100)) {
    const file = path.join(folder, name)
    const isFile = fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()
    const message = isFile ? Message.safeParse(readJson(file)).data : undefined
    const isHeld = [now, now - 5 * minute].some(then => message && heldUntil(message, quietHours, then) !== undefined)
    if (message && !isHeld) return Math.floor((now - Date.parse(message.at)) / minute)
  }
  return undefined
}

/** `lost`: what was given up since something was last taken; what was given up before is for the log. */
function sickness(seen: Omit<ChannelHealth, 'sick'>, late: number | undefined, lost: number): string | undefined {
  const because = seen.trouble === null ? '' : `: ${seen.trouble.why}`
  if (late !== undefined)
    return `${notices(seen.waiting)} for the ${seen.channel} ${seen.waiting === 1 ? 'waits' : 'wait'}, the oldest for ${inWords(late)}${because}`
  if (lost > 0) return `the ${seen.channel} has not taken ${notices(lost)} within the last day${because}`
  return undefined
}

function notices(count: number): string {
  return count === 1 ? '1 notice' : `${count} notices`
}

function inWords(minutes: number): string {
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
