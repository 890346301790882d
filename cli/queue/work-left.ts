import type { Config } from '#host/config'
import { type Item, readPause } from '#queue'
import { isSettled, type SessionView } from '#session/status'
import { listCapabilities } from './load.ts'
import { withQueue } from './open.ts'

/** Is there anything that goes on, or starts at some time, without a person? */
export async function hasWorkLeft(config: Config, views: SessionView[]): Promise<boolean> {
  if (hasSessionAtWork(views)) return true
  if (readPause(config.home, new Date()) !== undefined) return false
  const items = await withQueue(config, queue => queue.list(['waiting', 'starting']))
  return hasItemToStart(items, listCapabilities(config))
}

/** Does a session of this machine go on by itself? Pure. */
export function hasSessionAtWork(views: Pick<SessionView, 'status' | 'otherHost'>[]): boolean {
  return views.some(({ status, otherHost }) => otherHost === undefined && !isSettled(status))
}

/** Does an item need nothing that this machine lacks? Pure. */
export function hasItemToStart(items: Pick<Item, 'needs'>[], capabilities: string[]): boolean {
  return items.some(({ needs }) => needs.every(need => capabilities.includes(need)))
}
