import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { SECOND_MS } from '#host/time.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName, stopSession } from '#runner'
import type { SessionStatus, SessionView } from '#session/status'
import type { Succession } from '#watchdog'

/**
 * Close the sessions that have had their verdict for KEEP_OPEN_SEC and have no process left that would, as after a reboot. Returns their
 * ids, and what failed: a session that cannot be closed keeps no other one from it.
 */
export async function closeExpired(
  views: SessionView[],
  config: Config,
  now = new Date(),
): Promise<{ closed: string[]; failures: Succession['failures'] }> {
  const expired = views.filter(view => isExpired(view, config.KEEP_OPEN_SEC, now))
  const closed: string[] = []
  const failures: Succession['failures'] = []
  if (expired.length === 0) return { closed, failures }
  const terminals = new Set((await openTmux(config.home).listPanes()).map(pane => pane.session))
  for (const { session } of expired) {
    if (terminals.has(getTmuxSessionName(session))) continue // It gets a new runner, which closes it.
    try {
      const reason = `${config.KEEP_OPEN_SEC} s after the verdict, and no process was left`
      if (await stopSession(session, config, { actor: 'dispatch', reason })) closed.push(session.id)
    } catch (error) {
      // A person has just taken it up.
      if (error instanceof DispatchError && error.exitCode === exitCodes.conflict) continue
      failures.push({ id: session.id, error })
    }
  }
  return { closed, failures }
}

/** Has it had its verdict for that long, and no runner since? Pure. */
export function isExpired(
  { session, status, runnerLiveness }: SessionView,
  keepOpenSeconds: number,
  now: Date,
): boolean {
  if (!hasFinalVerdict(status) || status.closed || session.newerFormat !== undefined) return false
  return runnerLiveness === 'dead' && now.getTime() - Date.parse(status.lastEventAt) > keepOpenSeconds * SECOND_MS
}

/** Does it have its final verdict, and has nothing gone on since? Pure. */
export function hasFinalVerdict({ verdict, phase }: Pick<SessionStatus, 'verdict' | 'phase'>): boolean {
  return verdict?.isFinal === true && phase === verdict.verdict
}
