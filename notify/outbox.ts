import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { Notification } from './notification.ts'

/** The ways to reach a person. Each has its own queue and state, so a broken channel does not delay another. */
export const channels = ['desktop', 'phone', 'webhook'] as const

export type Channel = (typeof channels)[number]

/** A notification in the outbox: the content of one file. */
export const QueuedNotification = z.object({
  /** One id per event: a second notification with the same id is not queued again. */
  id: z.string().regex(/^[a-z0-9-]{1,120}$/),
  /** The order is kept within this id: a session's, or `external` or `outbox`. */
  sessionId: z.string().regex(/^[a-z0-9-]{1,100}$/),
  /** When the event happened. */
  at: z.iso.datetime(),
  /** Quiet hours do not hold it beyond this time; null means they may. */
  deliverBy: z.iso.datetime().nullable(),
  notification: Notification,
})

export type QueuedNotification = z.infer<typeof QueuedNotification>

/** The channels that are configured. */
export function listEnabledChannels(config: Pick<Config, 'DESKTOP' | 'NTFY_TOPIC' | 'WEBHOOK_URL'>): Channel[] {
  const isEnabled = {
    desktop: config.DESKTOP === 'on',
    phone: config.NTFY_TOPIC !== '',
    webhook: config.WEBHOOK_URL !== '',
  }
  return channels.filter(channel => isEnabled[channel])
}

/**
 * Queue a notification for these channels. Once this returns it is on disk and will be delivered, whatever happens to this
 * process, the network or the server. Throws exit 10 if the disk cannot take it, after trying every channel.
 */
export function writeToOutbox(home: string, queued: QueuedNotification, targets: Channel[]): void {
  const failures = targets.flatMap(channel => {
    try {
      writeToFolders(getOutboxFolders(home, channel), queued)
      return []
    } catch (error) {
      return [error]
    }
  })
  if (failures.length > 0) throw failures[0]
}

/** The folders of a channel. A file moves between them by rename(2), so it is in exactly one. */
export function getOutboxFolders(home: string, channel: Channel): { waiting: string; sent: string; dead: string } {
  const folder = getChannelFolder(home, channel)
  return { waiting: path.join(folder, 'waiting'), sent: path.join(folder, 'sent'), dead: path.join(folder, 'dead') }
}

/** The folder with all files of a channel. */
export function getChannelFolder(home: string, channel: Channel): string {
  return path.join(home, 'outbox', channel)
}

// --- internal ---

function writeToFolders(folders: ReturnType<typeof getOutboxFolders>, queued: QueuedNotification): void {
  const name = buildFileName(queued)
  if (Object.values(folders).some(folder => fs.existsSync(path.join(folder, name)))) return
  makePrivateFolder(folders.waiting)
  writeAtomic(path.join(folders.waiting, name), JSON.stringify(queued))
}

/** The same name for the same event in every process. Sorted by name, files are in the order of their events. */
function buildFileName({ at, id }: QueuedNotification): string {
  return `${String(Date.parse(at)).padStart(15, '0')}-${id}.json`
}
