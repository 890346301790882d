import type { Config } from '#host/config'
import { openTmux } from '#host/tmux'
import type { Session } from '#session'
import { countInARow, isSettled, type SessionView } from '#session/status'

/** A session younger than this may still be starting its first runner. */
const MIN_AGE_MS = 20_000
const MAX_RESTART_DELAY_MS = 300_000

/** How many sessions may start all their processes again. */
export interface Room {
  /** By the caps of this machine, for sessions that run or start. */
  slots: number
  /** In this look alone. */
  maxTakenUp: number
  /** The id of a session that a person asks for. It needs no room. */
  wanted?: string
  /** What was tried before, by id. The caller keeps it, and it spaces out tries that change nothing: `atMs` is of `performance.now()`. */
  tries?: Map<string, { seq: number; count: number; atMs: number }>
}

/** The ids of the sessions that got a new runner, of those that wait for room or for a delay, and what failed. */
export interface Succession {
  started: string[]
  waiting: string[]
  failures: { id: string; error: unknown }[]
}

/**
 * Start one runner for every session that has lost its own. Of two runners started at once, the lease lets only one go on. Where the
 * terminal is open, the agents still run, and only the runner is missing. Where it is lost, as after a reboot, everything starts
 * again, which needs room; the oldest comes first. A session that cannot be started keeps no other one from it.
 */
export async function startSuccessors(
  views: SessionView[],
  config: Config,
  start: (session: Session, config: Config) => Promise<boolean>,
  { slots, maxTakenUp, wanted, tries = new Map() }: Room,
): Promise<Succession> {
  const succession: Succession = { started: [], waiting: [], failures: [] }
  const dead = views.filter(({ runnerLiveness }) => runnerLiveness === 'dead')
  if (dead.length === 0) return succession
  const terminals = new Set((await openTmux(config.home).listPanes()).map(pane => pane.session))
  const nowMs = Date.now()
  const lost = dead
    .sort((a, b) => (a.session.id < b.session.id ? -1 : 1))
    .map(view => {
      const isTerminalOpen = terminals.has(`dispatch-${view.session.id}`)
      return { view, isTerminalOpen, need: classifyNeed(view, { nowMs, isTerminalOpen }) }
    })
    .filter(({ need }) => need !== 'none')
  // Where a terminal is open, agents run, or a new runner is just starting.
  const running = lost.filter(({ view, isTerminalOpen }) => isTerminalOpen && !isSettled(view.status)).length
  let freeSlots = Math.min(slots - running, maxTakenUp)
  for (const { view, isTerminalOpen, need } of lost) {
    const { id } = view.session
    const needsSlot = !isTerminalOpen && id !== wanted
    if (need === 'later' || (needsSlot && freeSlots <= 0) || !isTimeForTry(tries, view)) {
      succession.waiting.push(id)
      continue
    }
    if (needsSlot) freeSlots-- // Also where another process has just started it.
    try {
      const isStarted = await start(view.session, config) // tmux may not have noticed yet that the old one is dead.
      succession[isStarted ? 'started' : 'waiting'].push(id)
      if (!isStarted) continue
    } catch (error) {
      succession.failures.push({ id, error })
    }
    recordTry(tries, view)
  }
  return succession
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

// --- internal ---

type Tries = NonNullable<Room['tries']>

/** A start that changed nothing, not even the log, is tried again after 2, 4, 8 … 300 seconds. */
function isTimeForTry(tries: Tries, { session, status }: SessionView): boolean {
  const last = tries.get(session.id)
  if (last === undefined || last.seq !== status.lastSeq) return true
  return performance.now() - last.atMs >= Math.min(MAX_RESTART_DELAY_MS, 1000 * 2 ** last.count)
}

function recordTry(tries: Tries, { session, status }: SessionView): void {
  const last = tries.get(session.id)
  const count = last?.seq === status.lastSeq ? last.count + 1 : 1
  tries.set(session.id, { seq: status.lastSeq, count, atMs: performance.now() })
}
