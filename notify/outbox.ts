import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { listNames, makePrivateFolder, writeAtomic } from '#host/fs'
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

/** One notification, or a batch as one, on its way to a channel. Its id is the same for every attempt. */
export interface OutgoingNotification extends Omit<QueuedNotification, 'deliverBy'> {
  /** The state, without the session's id. */
  text: string
}

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
      writeToChannel(home, channel, queued)
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

const fileName = /^(\d{15})-[a-z0-9-]{1,120}\.json$/

/** The names of the notifications in a folder, in the order of their events. */
export function listNotifications(folder: string): string[] {
  return listNames(folder).filter(name => parseTimeFromName(name) > 0)
}

/** The id of the notification in a file of this name. Pure. */
export function parseIdFromName(name: string): string {
  return name.slice(16, -'.json'.length)
}

/** When the event of a file of this name happened, in milliseconds since 1970; 0 for any other name. Pure. */
export function parseTimeFromName(name: string): number {
  return Number(fileName.exec(name)?.[1] ?? 0)
}

// --- internal ---

function writeToChannel(home: string, channel: Channel, queued: QueuedNotification): void {
  // The same name for the same event in every process. Sorted by name, files are in the order of their events.
  const name = `${String(Date.parse(queued.at)).padStart(15, '0')}-${queued.id}.json`
  const folders = getOutboxFolders(home, channel)
  if (Object.values(folders).some(folder => fs.existsSync(path.join(folder, name)))) return
  makePrivateFolder(folders.waiting)
  writeAtomic(path.join(folders.waiting, name), JSON.stringify(queued))
}
