import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { explainWait, type Item, type NewItem, type Queue, type Room, wakeQueue } from '#queue'
import { startBackground } from '../background.ts'
import { findRoom, listCapabilities } from './load.ts'
import { withQueue } from './open.ts'

/** An item that was added, how many are before it, and what holds it back now: this item alone, or the whole queue. */
export interface Enqueued {
  item: Item
  aheadCount: number
  wait: string
  room: Room
}

/** Add an item, and see to it that the daemon runs. */
export async function enqueueItem(config: Config, newItem: NewItem): Promise<Enqueued> {
  const enqueued = await withQueue(config, async queue => {
    await requireItems(queue, newItem.after)
    const [id = ''] = await queue.enqueue([newItem])
    const waiting = await queue.list(['waiting'])
    const item = await queue.find(id)
    if (item === undefined) throw new Error(`${id} is not in the queue`)
    const room = await findRoom(config, queue)
    const wait = explainWait(item, room, listCapabilities(config))
    return { item, aheadCount: waiting.findIndex(each => each.id === id), wait, room }
  })
  wakeQueue(config.home)
  await startBackground(config)
  return enqueued
}

/** Exit 4 for the id of an item that does not exist. Ids of sessions are not looked at. */
export async function requireItems(queue: Queue, ids: string[]): Promise<void> {
  for (const id of ids)
    if (/^q-/.test(id) && (await queue.find(id)) === undefined)
      throw new DispatchError(`there is no item ${id} in the queue`, {
        exitCode: exitCodes.notFound,
        remedy: 'Run `dispatch queue`.',
      })
}
