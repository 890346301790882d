import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '../host/index.ts'
import { namesIn } from '../host/index.ts'
import { type Channel, channels, channelsOf, foldersOf, type Message, nameOf, post } from './outbox.ts'
import { timeIn } from './shelf.ts'
import { readStanding } from './standing.ts'

const day = 24 * 3600 * 1000

/** What a channel gave up within the last day. Words about such deaths are not counted, or they would breed. */
export function deathsOf(home: string, channel: Channel, now: number): number {
  const { dead } = foldersOf(home, channel)
  const names = namesIn(dead).filter(name => now - timeIn(name) < 5 * day && !/^\d{15}-outbox-/.test(name))
  const dated = names.map(name => fs.statSync(path.join(dead, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return dated.filter(at => now - at < day).length
}

/**
 * Say on another channel that this one has given up notices: once a day, and never of such words themselves. False while no
 * other channel is well enough to say it.
 */
export function announceDeaths(home: string, channel: Channel, { config, why, now }: Circumstances): boolean {
  const deaths = deathsOf(home, channel, now)
  const message = obituary(channel, deaths, { why, now })
  const isTold = channels.some(each =>
    Object.values(foldersOf(home, each)).some(folder => fs.existsSync(path.join(folder, nameOf(message)))),
  )
  if (deaths === 0 || isTold) return true
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
  return until <= now && failures === 0 && deathsOf(home, channel, now) === 0
}

function obituary(channel: Channel, deaths: number, { why, now }: { why: string; now: number }): Message {
  const today = new Date(now).toISOString().slice(0, 10)
  const notice = {
    title: 'Dispatch: notices are lost',
    body: `${channel} has not taken ${deaths === 1 ? 'a notice' : `${deaths} notices`}: ${why}`.slice(0, 400),
    priority: 4,
    tags: ['warning'],
  }
  return { id: `outbox-${channel}-${today}`, of: 'outbox', at: `${today}T00:00:00.000Z`, latest: null, notice }
}
