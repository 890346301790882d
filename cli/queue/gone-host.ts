import type { Config } from '#host/config'
import { releaseGoneDaemon } from '#watchdog'
import { withQueue } from './open.ts'
import { takeUp } from './starter.ts'

/** Take what the daemon of another machine held, on a person's word that it is gone: its place, and the items that it was starting. */
export async function takeFromGoneHost(config: Config): Promise<void> {
  await releaseGoneDaemon(config.home)
  await withQueue(config, queue => takeUp(config, queue, { isHostGone: true }))
}
