import fs from 'node:fs'
import path from 'node:path'
import { listNames } from '#host/fs'
import { DAY_MS } from '#host/time.ts'
import { channels, getOutboxFolders, listNotifications, parseTimeFromName } from '../outbox.ts'

/** The files of all channels of a home that are kept no longer. `nowMs` is the time. */
export function listExpiredNotifications(home: string, nowMs: number): string[] {
  return channels.flatMap(channel => listExpired(getOutboxFolders(home, channel), nowMs))
}

/**
 * The files of a channel that are kept no longer: what was sent, after 7 days; what was given up, after 30; of each all but the
 * newest 5,000; and the temporary file of a process that was killed while it wrote a notification.
 */
export function listExpired(folders: ReturnType<typeof getOutboxFolders>, nowMs: number): string[] {
  const maxAgesMs = { sent: 7 * DAY_MS, dead: 30 * DAY_MS }
  const old = (['sent', 'dead'] as const).flatMap(target => {
    const names = listNotifications(folders[target])
    const surplus = names.length - MAX_KEPT_FILES
    return names
      .filter((name, index) => index < surplus || nowMs - parseTimeFromName(name) > maxAgesMs[target])
      .map(name => path.join(folders[target], name))
  })
  const drafts = listNames(folders.waiting)
    .filter(name => name.startsWith('.tmp-'))
    .map(name => path.join(folders.waiting, name))
  return [
    ...old,
    ...drafts.filter(file => nowMs - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) > DAY_MS),
  ]
}

// --- internal ---

const MAX_KEPT_FILES = 5000
