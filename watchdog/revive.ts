import type { Config } from '#host/config'
import { openTmux } from '#host/tmux'
import type { Session } from '#session'
import { countConsecutiveRestarts, isSettled, type SessionView } from '#session/status'

/** A session this young may still be at its first start. */
const MIN_AGE_MS = 20_000

/**
 * Give every session that has lost its runner exactly one successor. `start` opens it; the claim on the session decides
 * between two that were started at the same moment. Answers the ids of those that were started here.
 */
export async function reviveSessions(
  views: SessionView[],
  config: Config,
  start: (session: Session, config: Config) => Promise<boolean>,
): Promise<string[]> {
  const open = new Set((await openTmux(config.home).listPanes()).map(pane => pane.session))
  const orphans = views.filter(view =>
    isOrphan(view, { now: Date.now(), open: open.has(`dispatch-${view.session.id}`) }),
  )
  const started: string[] = []
  for (const { session } of orphans) if (await start(session, config)) started.push(session.id)
  return started
}

/**
 * Not closed, and its runner is dead for certain; on unknown nobody acts. One that only waits for a person, or has its
 * verdict, needs a runner only while its terminal is open. Pure.
 */
export function isOrphan(
  { session, status, runnerLiveness }: SessionView,
  { now, open }: { now: number; open: boolean },
): boolean {
  if (session.newerFormat !== undefined) return false // A newer dispatch sees to its own.
  if (runnerLiveness !== 'dead' || status.closed || status.phase === 'failed') return false
  if (isSettled(status) && !open) return false
  const still = now - Date.parse(status.lastEventAt || session.manifest.openedAt)
  return still > (status.lastSeq === 0 ? MIN_AGE_MS : computeRestartDelayMs(countConsecutiveRestarts(status, now)))
}

/** A runner that dies again and again is given another one more and more slowly: after 2, 4, 8 … 300 seconds. */
function computeRestartDelayMs(inRow: number): number {
  return Math.min(300_000, 1000 * 2 ** inRow)
}
