import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { type Config, makePrivate, writeAtomic } from '../host/index.ts'
import { Notice } from './notice.ts'

/** The ways to a person, each with a state of its own: one that is down holds up no other. */
export const channels = ['desktop', 'phone', 'webhook'] as const

export type Channel = (typeof channels)[number]

/** A notice on its way. */
export const Message = z.object({
  /** Names the fact that it tells: a second message of the same name is the same push, and is not sent again. */
  id: z.string().regex(/^[a-z0-9-]{1,120}$/),
  /** What keeps its order: a session's id, or `elsewhere`. */
  of: z.string().regex(/^[a-z0-9-]{1,100}$/),
  /** When the fact happened. */
  at: z.iso.datetime(),
  /** Quiet hours do not hold it beyond this moment; null where nothing is so urgent. */
  latest: z.iso.datetime().nullable(),
  notice: Notice,
})

export type Message = z.infer<typeof Message>

/** The channels that are set. */
export function channelsOf(config: Pick<Config, 'DESKTOP' | 'NTFY_TOPIC' | 'WEBHOOK_URL'>): Channel[] {
  const set = { desktop: config.DESKTOP === 'on', phone: config.NTFY_TOPIC !== '', webhook: config.WEBHOOK_URL !== '' }
  return channels.filter(channel => set[channel])
}

/**
 * Lay a message out for these channels. When this returns it is on disk, and will be delivered whatever becomes of this
 * process, the network or the server. Throws exit 10 when the disk does not take it.
 */
export function post(home: string, message: Message, to: Channel[]): void {
  const failures = to.flatMap(channel => {
    try {
      lay(foldersOf(home, channel), message)
      return []
    } catch (error) {
      return [error] // The others come first.
    }
  })
  if (failures.length > 0) throw failures[0]
}

/** Where a channel's messages lie: a message is moved by rename(2), so it is in exactly one of them. */
export function foldersOf(home: string, channel: Channel): { waiting: string; sent: string; dead: string } {
  const at = (folder: string) => path.join(folderOf(home, channel), folder)
  return { waiting: at('waiting'), sent: at('sent'), dead: at('dead') }
}

/** All that a channel has of its own. */
export function folderOf(home: string, channel: Channel): string {
  return path.join(home, 'outbox', channel)
}

function lay(folders: ReturnType<typeof foldersOf>, message: Message): void {
  const name = nameOf(message)
  if (Object.values(folders).some(folder => fs.existsSync(path.join(folder, name)))) return
  makePrivate(folders.waiting)
  writeAtomic(path.join(folders.waiting, name), JSON.stringify(message))
}

/** The same for the same fact, whoever lays it out; by name they stand in the order they happened. */
function nameOf({ at, id }: Message): string {
  return `${String(Date.parse(at)).padStart(15, '0')}-${id}.json`
}
