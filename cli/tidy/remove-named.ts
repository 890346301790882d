import type { Config } from '#host/config'
import { holdEndedSession } from '#runner'
import type { Session } from '#session'
import { confirmUnsavedWork, createOpenError, refuseOpen } from '../input/confirm-removal.ts'
import { removeSessions } from './remove-safe.ts'

/**
 * Remove the sessions that a person has named: all of them, or none. Exit 5 where one is open. Without `isForced` the person is asked
 * before work is lost. A session may be taken up while the question stands, so each is looked at again once nothing can. Returns the
 * errors of those that stay, by id.
 */
export async function removeNamedSessions(
  sessions: Session[],
  config: Config,
  { isForced, mayAsk }: { isForced: boolean; mayAsk: boolean },
): Promise<Map<string, unknown>> {
  for (const session of sessions) await refuseOpen(session, config)
  const givenUp = new Map<string, string | undefined>()
  const confirm = async (session: Session) =>
    givenUp.set(session.id, await confirmUnsavedWork(session, config, { givenUp: givenUp.get(session.id), mayAsk }))
  if (!isForced) for (const session of sessions) await confirm(session)
  const releases: (() => void)[] = []
  try {
    for (const session of sessions) {
      const release = await holdEndedSession(session, config)
      if (release === undefined) throw createOpenError(session)
      releases.push(release)
    }
    if (!isForced) for (const session of sessions) await confirm(session)
    return await removeSessions(sessions, config)
  } finally {
    for (const release of releases) release()
  }
}
