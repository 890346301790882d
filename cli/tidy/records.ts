import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { listNames } from '#host/fs'
import { formatCount } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import { listExpiredNotifications } from '#notify'
import { withQueue } from '../queue/open.ts'
import type { Removable } from './removable.ts'

const KEPT_ITEM_DAYS = 90
const KEPT_LOG_DAYS = 30

export function listOldNotifications({ home }: Config): Removable[] {
  const files = listExpiredNotifications(home, Date.now())
  if (files.length === 0) return []
  const remove = async () => {
    for (const file of files) fs.rmSync(file, { force: true })
    return true
  }
  const reason = 'sent more than 7 days ago, or given up more than 30 days ago'
  return [
    {
      kind: 'notifications',
      name: formatCount(files.length, 'notification'),
      reason,
      bytes: addUpSizes(files),
      remove,
    },
  ]
}

/** Items of the queue that have ended long ago. Exit 10 if the queue cannot be read. */
export async function listOldItems(config: Config): Promise<Removable[]> {
  if (!fs.existsSync(path.join(config.home, 'queue.db'))) return []
  const before = new Date(Date.now() - KEPT_ITEM_DAYS * DAY_MS).toISOString()
  const ids = await withQueue(config, queue => queue.listForgettable(before))
  if (ids.length === 0) return []
  const reason = `ended more than ${KEPT_ITEM_DAYS} days ago, and nothing comes after`
  const remove = async () => (await withQueue(config, queue => queue.forget(ids, before))) > 0
  return [{ kind: 'queue', name: `${formatCount(ids.length, 'item')} of the queue`, reason, bytes: 0, remove }]
}

export function listOldLogs({ logsFolder }: Config): Removable[] {
  const files = listNames(logsFolder)
    .filter(name => name.endsWith('.log.1'))
    .map(name => path.join(logsFolder, name))
  const isOld = (file: string) =>
    Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > KEPT_LOG_DAYS * DAY_MS
  return files.filter(isOld).map(file => ({
    ...{ kind: 'log', name: path.basename(file), bytes: addUpSizes([file]) },
    reason: `an earlier log, last written more than ${KEPT_LOG_DAYS} days ago`,
    remove: async () => {
      if (!isOld(file)) return false // It has become the earlier log just now.
      fs.rmSync(file, { force: true })
      return true
    },
  }))
}

// --- internal ---

function addUpSizes(files: string[]): number {
  return files.reduce((sum, file) => sum + (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}
