import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName, stopSession } from '#runner'
import type { SessionView } from '#session/status'
import { hasFinalVerdict } from '../close-expired.ts'

/**
 * Close the session that has had its verdict for longest, so that the next item has its memory: one of the queue, on this machine, that
 * no terminal shows. Its work and its record stay. Returns its id; undefined without one.
 */
export async function closeLongestFinished(config: Config, views: SessionView[]): Promise<string | undefined> {
  const tmux = openTmux(config.home)
  for (const { session } of listFinished(views)) {
    if (await tmux.isAttached(getTmuxSessionName(session))) continue
    try {
      const reason = 'the queue needs its memory for the next session'
      if (await stopSession(session, config, { actor: 'dispatch', reason })) return session.id
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      // It cannot be closed now: the next one may.
    }
  }
  return undefined
}

/** The sessions of the queue that have their verdict and still have processes, the oldest verdict first. Pure. */
export function listFinished(views: SessionView[]): SessionView[] {
  return views
    .filter(({ session, status, runnerLiveness }) => {
      const isOver = hasFinalVerdict(status) && status.closed === undefined
      return isOver && session.manifest.queueItem !== null && runnerLiveness === 'alive'
    })
    .sort((a, b) => Date.parse(a.status.phaseStartedAt) - Date.parse(b.status.phaseStartedAt))
}
