import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { Notification } from './notification.ts'
/** The ways to a person, each with a state of its own: one that is down holds up no other. */
export const channels = ['desktop', 'phone', 'webhook'] as const

export type Channel = (typeof channels)[number]

/** A notice on its way. */
export const QueuedNotification = z.object({
  /** Names the fact that it tells: a second message of the same name is the same push, and is not sent again. */
  id: z.string().regex(/^[a-z0-9-]{1,120}$/),
  /** What keeps its order: a session's id, or `elsewhere`. */
  sessionId: z.string().regex(/^[a-z0-9-]{1,100}$/),
  /** When the fact happened. */
  at: z.iso.datetime(),
  /** Quiet hours do not hold it beyond this moment; null where nothing is so urgent. */
  deliverBy: z.iso.datetime().nullable(),
  notification: Notification,
})

export type QueuedNotification = z.infer<typeof QueuedNotification>

/** The channels that are set. */
export function listEnabledChannels(config: Pick<Config, 'DESKTOP' | 'NTFY_TOPIC' | 'WEBHOOK_URL'>): Channel[] {
  const set = { desktop: config.DESKTOP === 'on', phone: config.NTFY_TOPIC !== '', webhook: config.WEBHOOK_URL !== '' }
  return channels.filter(channel => set[channel])
}

/**
 * Lay a message out for these channels. When this returns it is on disk, and will be delivered whatever becomes of this
 * process, the network or the server. Throws exit 10 when the disk does not take it.
 */
export function writeToOutbox(home: string, message: QueuedNotification, to: Channel[]): void {
  const failures = to.flatMap(channel => {
    try {
      writeToFolders(getOutboxFolders(home, channel), message)
      return []
    } catch (error) {
      return [error] // The others come first.
    }
  })
  if (failures.length > 0) throw failures[0]
}

/** Where a channel's messages lie: a message is moved by rename(2), so it is in exactly one of them. */
export function getOutboxFolders(home: string, channel: Channel): { waiting: string; sent: string; dead: string } {
  const at = (folder: string) => path.join(getChannelFolder(home, channel), folder)
  return { waiting: at('waiting'), sent: at('sent'), dead: at('dead') }
}

/** All that a channel has of its own. */
export function getChannelFolder(home: string, channel: Channel): string {
  return path.join(home, 'outbox', channel)
}

function writeToFolders(folders: ReturnType<typeof getOutboxFolders>, message: QueuedNotification): void {
  const name = buildFileName(message)
  if (Object.values(folders).some(folder => fs.existsSync(path.join(folder, name)))) return
  makePrivateFolder(folders.waiting)
  writeAtomic(path.join(folders.waiting, name), JSON.stringify(message))
}

/** The same for the same fact, whoever lays it out; by name they stand in the order they happened. */
function buildFileName({ at, id }: QueuedNotification): string {
  return `${String(Date.parse(at)).padStart(15, '0')}-${id}.json`
}
