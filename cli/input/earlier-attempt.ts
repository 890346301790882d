import type { Config } from '#host/config'
import { findSession, type SessionManifest } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import { readStatus } from './session.ts'

/** What came of a session, for the next one at the same task. Exit 4 if there is no such session. */
export function describeAttempt(config: Config, id: string, context: string): NonNullable<SessionManifest['retryOf']> {
  const session = findSession(config.workspace, id)
  const status = readStatus(session)
  const record = readCurrentVerdict(session.paths, status)
  const outcome = record
    ? `${record.verdict}: ${record.reason}`
    : `no verdict${status.problem ? `: ${status.problem}` : status.closed ? `: ${status.closed.reason}` : ''}`
  return { session: session.id, outcome, findings: (record?.findings ?? []).slice(0, MAX_FINDINGS), context }
}

// --- internal ---

const MAX_FINDINGS = 50
