import type { Config } from '#host/config'
import { openTmux } from '#host/tmux'
import type { Session } from '#session'
import { countInARow, isSettled, type SessionView } from '#session/status'

/** A session younger than this may still be starting its first runner. */
const MIN_AGE_MS = 20_000
const MAX_RESTART_DELAY_MS = 300_000

/** For how many sessions that have lost their runner there is room, and the one that a person asks for, which needs none. */
export interface Room {
  slots: number
  wanted?: string
}

/** The ids of the sessions that got a new runner, and of those that wait: for room, or for the end of a delay. */
export interface Revival {
  started: string[]
  waiting: string[]
}

/**
 * Start one runner for every session that has lost its own. Of two runners started at once, the lease lets only one go on. Where the
 * terminal is open, the agents still run, and only the runner is missing. Where it is lost, as after a reboot, everything starts
 * again, which needs room; the oldest comes first.
 */
export async function reviveSessions(
  views: SessionView[],
  config: Config,
  start: (session: Session, config: Config) => Promise<boolean>,
  { slots, wanted }: Room,
): Promise<Revival> {
  const dead = views.filter(({ runnerLiveness }) => runnerLiveness === 'dead')
  if (dead.length === 0) return { started: [], waiting: [] }
  const terminals = new Set((await openTmux(config.home).listPanes()).map(pane => pane.session))
  const nowMs = Date.now()
  const revival: Revival = { started: [], waiting: [] }
  const isTerminalOpen = (id: string) => terminals.has(`dispatch-${id}`)
  // Their agents run, or their new runner is just starting.
  let freeSlots = slots - dead.filter(view => !isSettled(view.status) && isTerminalOpen(view.session.id)).length
  for (const view of dead.sort((a, b) => (a.session.id < b.session.id ? -1 : 1))) {
    const { id } = view.session
    const need = classifyNeed(view, { nowMs, isTerminalOpen: isTerminalOpen(id) })
    if (need === 'none') continue
    const needsSlot = !isTerminalOpen(id) && id !== wanted
    if (need === 'later' || (needsSlot && freeSlots <= 0)) revival.waiting.push(id)
    else if (await start(view.session, config)) {
      revival.started.push(id)
      if (needsSlot) freeSlots--
    }
  }
  return revival
}

/**
 * Does the session need a runner: `now`, `later` or not at all? It does if it is not closed and its runner is certainly dead, so
 * never while its liveness is unknown. A session that waits for a person or has its verdict needs a runner only while its terminal
 * is open. A runner that dies again and again is restarted after longer and longer delays, unless
 * its last event is in the future: then the clock was set back, and says nothing about how long it is idle. Pure.
 */
export function classifyNeed(
  { session, status, runnerLiveness }: SessionView,
  { nowMs, isTerminalOpen }: { nowMs: number; isTerminalOpen: boolean },
): 'now' | 'later' | 'none' {
  if (session.newerFormat !== undefined) return 'none' // Only a newer dispatch can run it.
  if (runnerLiveness !== 'dead' || status.closed || status.phase === 'failed') return 'none'
  if (isSettled(status) && !isTerminalOpen) return 'none'
  const idleMs = nowMs - Date.parse(status.lastEventAt || session.manifest.openedAt)
  // After 2, 4, 8 … 300 seconds.
  const restartDelayMs = Math.min(MAX_RESTART_DELAY_MS, 1000 * 2 ** countInARow(status.lastRestart, nowMs))
  const isClockSetBack = idleMs < -MAX_RESTART_DELAY_MS
  return isClockSetBack || idleMs > (status.lastSeq === 0 ? MIN_AGE_MS : restartDelayMs) ? 'now' : 'later'
}
