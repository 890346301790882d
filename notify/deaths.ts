import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '../host/index.ts'
import { namesIn } from '../host/index.ts'
import { type Channel, channels, channelsOf, foldersOf, type Message, post } from './outbox.ts'
import { idIn, timeIn } from './shelf.ts'
import { readStanding } from './standing.ts'

const day = 24 * 3600 * 1000

/** What a channel gave up since then. Words about such deaths are not counted, or they would breed. */
export function deathsOf(home: string, channel: Channel, { since, now }: { since: number; now: number }): number {
  const { dead } = foldersOf(home, channel)
  const names = namesIn(dead).filter(name => now - timeIn(name) < 5 * day && !idIn(name).startsWith('outbox-'))
  const dated = names.map(name => fs.statSync(path.join(dead, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return dated.filter(at => at > since).length
}

/**
 * Say on another channel that this one has given up notices: once a day, and never of such words themselves. False while no
 * other channel is well enough to say it.
 */
export function announceDeaths(home: string, channel: Channel, { config, why, now }: Circumstances): boolean {
  const deaths = deathsOf(home, channel, { since: now - day, now })
  const message = obituary(channel, deaths, { why, now })
  const laidOut = channels.flatMap(each => Object.values(foldersOf(home, each)).flatMap(namesIn))
  if (deaths === 0 || laidOut.some(name => idIn(name) === message.id)) return true
  const other = channelsOf(config).find(each => each !== channel && isWell(home, each, now))
  if (other !== undefined) post(home, message, [other])
  return other !== undefined
}

interface Circumstances {
  config: Config
  why: string
  now: number
}

function isWell(home: string, channel: Channel, now: number): boolean {
  const { until, failures } = readStanding(home, channel)
  return until <= now && failures === 0 && deathsOf(home, channel, { since: now - day, now }) === 0
}

function obituary(channel: Channel, deaths: number, { why, now }: { why: string; now: number }): Message {
  const at = new Date(now).toISOString()
  const notice = {
    title: 'Dispatch: notices are lost',
    body: `${channel} has not taken ${deaths === 1 ? 'a notice' : `${deaths} notices`}: ${why}`.slice(0, 400),
    priority: 4,
    tags: ['warning'],
  }
  return { id: `outbox-${channel}-${at.slice(0, 10)}`, of: 'outbox', at, latest: null, notice }
}
