import { readStamp } from '#host/fs'
import { MINUTE_MS } from '#host/time.ts'
import { listSessions, type Session } from '#session'

/** The sessions of a workspace, which are read again only where one may have come or gone, and once in a round over all issues. */
export class SessionList {
  private isListed = false
  private stamp = ''
  private changedAtMs = 0
  private listedAtMs = 0
  private sessions: Session[] = []

  startRound(): void {
    this.isListed = false
  }

  /** The session itself, or the newest of those that try its task again, and theirs. Undefined if all of them are gone. */
  findNewestAttempt(workspace: string, id: string): Session | undefined {
    const known = findNewestAttempt(this.list(workspace), id)
    if (known !== undefined) return known
    this.isListed = false // It may have been opened within this round.
    return findNewestAttempt(this.list(workspace), id)
  }

  private list(workspace: string): Session[] {
    if (this.isListed) return this.sessions
    this.isListed = true
    const stamp = readStamp(workspace)
    const now = performance.now()
    if (stamp !== this.stamp) this.changedAtMs = now
    else if (this.listedAtMs - this.changedAtMs > OPENING_MS) return this.sessions
    this.stamp = stamp
    this.listedAtMs = now
    this.sessions = listSessions(workspace)
    return this.sessions
  }
}

/** The newest of these sessions that is this one, or tries its task again, directly or by others. Pure. */
export function findNewestAttempt(sessions: Session[], id: string): Session | undefined {
  const oldestFirst = sessions.toSorted((a, b) => a.manifest.openedAt.localeCompare(b.manifest.openedAt))
  const attempts = new Set([id])
  let newest: Session | undefined
  for (const session of oldestFirst) {
    if (!attempts.has(session.id) && !attempts.has(session.manifest.retryOf?.session ?? '')) continue
    attempts.add(session.id)
    newest = session
  }
  return newest
}

// --- internal ---

/** A session has its folder before it can be listed. */
const OPENING_MS = 10 * MINUTE_MS
