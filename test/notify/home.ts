import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Config, namesIn, readConfig } from '../../host/index.ts'
import { type Channel, foldersOf, type Message, type Pace, usual } from '../../notify/index.ts'

export const topic = '5f1d09c2a4e87b36d0c1f2a3b4e5d697'
export const token = 'tk_3f9ac0d1e2b4f5a69788'

/** The usual pace, with every wait so short that a test can see the end of it. */
export const quick: Pace = {
  ...usual,
  attempt: 3000,
  rescan: 25,
  linger: 60,
  first: 20,
  last: 100,
  patience: 2000,
  refill: 0,
}

/** A home for one test. */
export function newHome(): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-notify-')))
}

/** The settings of that home, with no channel but those that are named. */
export function configOf(home: string, settings: Record<string, string> = {}): Config {
  return readConfig({ DISPATCH_HOME: home, HOME: home, DESKTOP: 'off', ...settings })
}

export const ofPhone = (url: string) => ({ NTFY_SERVER: url, NTFY_TOPIC: topic })

const session = '2026-11-20-fix-login-a3f9'

/** A message of a session: the `nth` thing that it has to say. */
export function messageOf(nth: number, changes: Partial<Message> = {}): Message {
  const of = changes.of ?? session
  return {
    id: `${of}-${nth}`,
    of,
    at: new Date(Date.now() - 60_000 + nth).toISOString(),
    latest: null,
    notice: { title: 'Dispatch goes on', body: `${of} is at step ${nth}`, priority: 3, tags: ['gear'] },
    ...changes,
  }
}

/** The ids of the messages in each folder of a channel, in their order. */
export function lyingIn(home: string, channel: Channel): Record<'waiting' | 'sent' | 'dead', string[]> {
  const { waiting, sent, dead } = foldersOf(home, channel)
  const ids = (folder: string) => namesIn(folder).map(name => name.slice(16, -'.json'.length))
  return { waiting: ids(waiting), sent: ids(sent), dead: ids(dead) }
}

/** Wait until this holds; fails loudly when it does not. */
export async function until(what: string, look: () => boolean, milliseconds = 10_000): Promise<void> {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    if (look()) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error(`not within ${milliseconds / 1000} s: ${what}`)
}
