import fs from 'node:fs'
import path from 'node:path'
import { type Config, namesIn, readJson } from '../host/index.ts'
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
    const names = namesIn(foldersOf(home, channel).waiting).filter(name => timeIn(name) > 0)
    const { sentAt, trouble, until } = readStanding(home, channel)
    const dead = deathsOf(home, channel, now)
    const seen = {
      channel,
      on: on.includes(channel),
      waiting: names.length,
      oldest: names[0] === undefined ? null : iso(timeIn(names[0])),
      dead,
      sentAt: sentAt === null ? null : iso(sentAt),
      trouble: trouble === null ? null : { ...trouble, at: iso(trouble.at) },
      pausedUntil: until > now && names.length > 0 ? iso(until) : null,
    }
    const late = lateOf(path.join(foldersOf(home, channel).waiting, names[0] ?? ''), config.QUIET_HOURS, now)
    return { ...seen, sick: seen.on ? sickness(seen, late) : undefined }
  })
}

const minute = 60 * 1000

/** Minutes for which the oldest message has waited, if that is more than five and quiet hours are no reason. */
function lateOf(file: string, quietHours: string, now: number): number | undefined {
  const message = fs.statSync(file, { throwIfNoEntry: false })?.isFile()
    ? Message.safeParse(readJson(file)).data
    : undefined
  if (message === undefined) return undefined
  const isHeld = [now, now - 5 * minute].some(then => heldUntil(message, quietHours, then) !== undefined)
  const waited = Math.floor((now - Date.parse(message.at)) / minute)
  return isHeld || waited < 5 ? undefined : waited
}

function sickness(seen: Omit<ChannelHealth, 'sick'>, late: number | undefined): string | undefined {
  const because = seen.trouble === null ? '' : `: ${seen.trouble.why}`
  if (late !== undefined)
    return `${notices(seen.waiting)} for the ${seen.channel} ${seen.waiting === 1 ? 'waits' : 'wait'}, the oldest for ${inWords(late)}${because}`
  if (seen.dead > 0) return `the ${seen.channel} has not taken ${notices(seen.dead)} within the last day${because}`
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
