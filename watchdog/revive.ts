import type { Config } from '#host/config'
import { openTmux } from '#host/tmux'
import type { Session } from '#session'
import { countConsecutiveRestarts, isSettled, type SessionView } from '#session/status'

/** A session younger than this may still be starting its first runner. */
const MIN_AGE_MS = 20_000
const MAX_RESTART_DELAY_MS = 300_000

/**
 * Start one runner for every session that has lost its own. Of two runners started at once, the lease lets only one go on.
 * Returns the ids of the sessions for which `start` started one.
 */
export async function reviveSessions(
  views: SessionView[],
  config: Config,
  start: (session: Session, config: Config) => Promise<boolean>,
): Promise<string[]> {
  const terminals = new Set((await openTmux(config.home).listPanes()).map(pane => pane.session))
  const orphans = views.filter(view =>
    isOrphan(view, { nowMs: Date.now(), isTerminalOpen: terminals.has(`dispatch-${view.session.id}`) }),
  )
  const started: string[] = []
  for (const { session } of orphans) if (await start(session, config)) started.push(session.id)
  return started
}

/**
 * True if the session is not closed and its runner is certainly dead, so never while its liveness is unknown. A session that
 * waits for a person or has its verdict needs a runner only while its terminal is open. Pure.
 */
export function isOrphan(
  { session, status, runnerLiveness }: SessionView,
  { nowMs, isTerminalOpen }: { nowMs: number; isTerminalOpen: boolean },
): boolean {
  if (session.newerFormat !== undefined) return false // Only a newer dispatch can run it.
  if (runnerLiveness !== 'dead' || status.closed || status.phase === 'failed') return false
  if (isSettled(status) && !isTerminalOpen) return false
  const idleMs = nowMs - Date.parse(status.lastEventAt || session.manifest.openedAt)
  // A runner that dies repeatedly is restarted after 2, 4, 8 … 300 seconds.
  const restartDelayMs = Math.min(MAX_RESTART_DELAY_MS, 1000 * 2 ** countConsecutiveRestarts(status, nowMs))
  return idleMs > (status.lastSeq === 0 ? MIN_AGE_MS : restartDelayMs)
}
