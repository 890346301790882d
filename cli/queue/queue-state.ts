import type { Config } from '#host/config'
import { isServiceInstalled } from '#host/user-service'
import { explainWait, type Item, type Queue, type Room } from '#queue'
import { findDaemon, findDaemonHost } from '#watchdog'
import { findRoom, listCapabilities } from './load.ts'

/** Items of the queue, and what holds them back. */
export interface QueueState {
  /** Each with the reason why it waits while others may start; empty without one. */
  items: { item: Item; wait: string }[]
  room: Room
  hasDaemon: boolean
  /** A service keeps it, which alone starts it again. */
  hasService: boolean
  /** The other machine on which its daemon runs. */
  daemonHost?: string
}

/** Read the items in these states, in the order in which they start. */
export async function readQueueState(
  config: Config,
  queue: Queue,
  states: readonly Item['state'][],
): Promise<QueueState> {
  const room = await findRoom(config, queue)
  const daemonHost = await findDaemonHost(config.home)
  const capabilities = listCapabilities(config)
  const items = await queue.list(states)
  return {
    items: items.map(item => ({ item, wait: explainWait(item, room, capabilities) })),
    room,
    hasService: isServiceInstalled(config.home),
    hasDaemon: daemonHost !== undefined || (await findDaemon(config.home)) !== undefined,
    ...(daemonHost !== undefined && { daemonHost }),
  }
}
