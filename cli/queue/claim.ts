import { pickVariables } from '#host/config'
import { Fence } from '#queue'
import type { SessionView } from '#session/status'

/** The variable by which the queue tells `dispatch` which item it starts. */
export const CLAIM_VARIABLE = 'DISPATCH_QUEUE_CLAIM'

/** The item for which this command starts a session; null where a person starts one. */
export function readClaim(): Fence | null {
  const text = pickVariables([CLAIM_VARIABLE])[CLAIM_VARIABLE]
  return text === undefined ? null : Fence.parse(JSON.parse(text))
}

/** The id of the session of this attempt of an item, among these. Pure. */
export function findStarted(views: Pick<SessionView, 'session'>[], { item, attempt }: Fence): string | undefined {
  const started = views.find(({ session: { manifest } }) => {
    const { queueItem } = manifest
    return queueItem?.item === item && queueItem.attempt === attempt
  })
  return started?.session.id
}
