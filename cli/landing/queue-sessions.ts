import type { Config } from '#host/config'
import type { DispatchError } from '#host/error.ts'
import type { Entry, LandingQueue } from '#landing'
import { wakeQueue } from '#queue'
import type { Session } from '#session'
import { startBackground } from '../background.ts'
import { addEntries, buildEntry, decideAdding, type LandingWish } from './enqueue.ts'
import { toDispatchError } from './lander.ts'

/** A session that waits to land now, or why it does not. */
export interface QueuedLanding {
  session: Session
  error?: DispatchError
}

/** Put sessions into the queue of their repository, and see to it that the daemon runs, which starts the lander. */
export async function queueSessions(
  config: Config,
  sessions: Session[],
  { keepsOrder, ...options }: Omit<LandingWish, 'attendedBy' | 'sendsBack'> & { keepsOrder: boolean },
): Promise<QueuedLanding[]> {
  const { into, repo, after, method, author } = options
  const wish: LandingWish = { into, repo, after, method, author, attendedBy: null, sendsBack: true }
  const results: QueuedLanding[] = []
  const queues = new Map<string, { queue: LandingQueue; entries: Entry[] }>()
  for (const session of sessions) {
    try {
      const { queue, entry } = await buildEntry(config, session, wish)
      if ((await decideAdding(queue, entry)) === 'follow') {
        results.push({ session })
        continue
      }
      const known = queues.get(queue.folder)?.entries ?? []
      queues.set(queue.folder, { queue, entries: [...known, entry] })
      results.push({ session })
    } catch (thrown) {
      results.push({ session, error: toDispatchError(thrown) })
    }
  }
  for (const { queue, entries } of queues.values()) addEntries(queue, entries, keepsOrder)
  if (queues.size > 0) {
    wakeQueue(config.home)
    await startBackground(config)
  }
  return results
}
