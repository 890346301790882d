import type { Config } from '#host/config'
import type { DispatchError } from '#host/error.ts'
import { wakeQueue } from '#queue'
import type { Session } from '#session'
import { startBackground } from '../background.ts'
import { type LandingWish, putIn } from './enqueue.ts'

/** A session that waits to land now, or why it does not. */
export interface QueuedLanding {
  session: Session
  error?: DispatchError
}

/** Put sessions into the queue of their repository, and see to it that the daemon runs, which starts the lander. */
export async function queueSessions(
  config: Config,
  sessions: Session[],
  options: Omit<LandingWish, 'attendedBy' | 'sendsBack'> & { keepsOrder: boolean },
): Promise<QueuedLanding[]> {
  const { into, repo, after, method, author, keepsOrder } = options
  const wish = { into, repo, after, method, author, keepsOrder, attendedBy: null, sendsBack: true }
  const errors = new Map<string, DispatchError>()
  const queues = await putIn(config, sessions, wish, ({ id }, error) => errors.set(id, error))
  if (queues.length > 0) {
    wakeQueue(config.home)
    await startBackground(config)
  }
  return sessions.map(session => {
    const error = errors.get(session.id)
    return { session, ...(error && { error }) }
  })
}
