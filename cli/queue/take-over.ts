import type { Config } from '#host/config'
import { identify } from '#host/process'
import type { Claim, Fence, Item } from '#queue'
import type { Session } from '#session'
import { launchClaimed } from './claimed-start.ts'
import { withQueue } from './open.ts'

/**
 * Start a session by a person's `dispatch retry`. It is the next attempt of the item of the earlier session, if that waits or needs a
 * person, so that the queue does not start another one; else it is one of its own. If it does not start, the item is as it was.
 */
export async function launchRetry(
  config: Config,
  earlier: Session,
  launch: (claim: Fence | null) => Promise<Session>,
): Promise<Session> {
  const taken = await takeItem(config, earlier)
  if (taken === undefined) return launch(null)
  const { claim, item } = taken
  try {
    return await launchClaimed(config, claim, claim.work.task, () =>
      launch({ item: claim.item, attempt: claim.attempt }),
    )
  } catch (error) {
    const kind = item.state === 'waiting' ? 'released' : 'needs you'
    await withQueue(config, queue => queue.settle(claim, { kind, reason: item.reason }))
    throw error
  }
}

// --- internal ---

async function takeItem(config: Config, { id, manifest }: Session): Promise<{ claim: Claim; item: Item } | undefined> {
  const { queueItem } = manifest
  if (queueItem === null) return undefined
  return withQueue(config, async queue => {
    const item = await queue.find(queueItem.item)
    const self = await identify(process.pid)
    if (item?.sessionId !== id || self === undefined) return undefined
    const claim = await queue.take(item.id, self)
    return claim && { claim, item }
  })
}
