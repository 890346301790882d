import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listPrepared } from '#runner/pull-request/index.ts'
import { findSession, type Session } from '#session'
import { findRecordOf, type PullRequestRecord } from './record.ts'

/** The session whose work a pull request has now: another one than that which opened it, after new attempts. */
export function findNewest(config: Config, session: Session): Session {
  const newest = findRecordOf(config.home, session.id)?.sessions.at(-1)
  if (newest === undefined || newest === session.id) return session
  return findIfPresent(config, newest) ?? session
}

/** The commits that dispatch has pushed to the branch of a pull request, and those that it was about to push. */
export function listPushedCommits(
  config: Config,
  { sessions, branch }: Pick<PullRequestRecord, 'sessions' | 'branch'>,
): string[] {
  return sessions.flatMap(id => {
    const session = findIfPresent(config, id)
    if (session === undefined) return []
    return listPrepared(session).flatMap(prepared => (prepared.branch === branch ? [prepared.commit] : []))
  })
}

// --- internal ---

/** A session may have been removed. */
function findIfPresent(config: Config, id: string): Session | undefined {
  try {
    return findSession(config.workspace, id)
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
