import type { Config } from '../host/index.ts'
import { type Session, type View, viewAll } from '../session/index.ts'

/** A session this young may still be at its first start. */
const young = 20_000

/**
 * Give every session that has lost its runner exactly one successor. `start` opens it; the claim on the session decides
 * between two that were started at the same moment. Answers the ids.
 */
export async function revive(
  config: Config,
  start: (session: Session, config: Config) => Promise<void>,
): Promise<string[]> {
  const orphans = (await viewAll(config.workspace)).filter(view => isOrphan(view, Date.now()))
  for (const { session } of orphans) await start(session, config)
  return orphans.map(({ session }) => session.id)
}

/** Unfinished, and its runner is dead for certain; on unknown nobody acts. Pure. */
export function isOrphan({ session, status, runner }: View, now: number): boolean {
  if (runner !== 'dead' || status.closed || status.phase === 'failed') return false
  if (status.verdict?.final || status.phase === 'needs you') return false
  return now - Date.parse(status.at || session.opening.openedAt) > (status.seq === 0 ? young : 2000)
}
