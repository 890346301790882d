import os from 'node:os'
import { hasProcess, isPidTaken } from '#host/process'
import type { TmuxPane } from '#host/tmux'
import type { RunnerContext } from '../context.ts'
import { getTmuxSessionName } from '../terminal.ts'

/**
 * The orchestrator's pane: its process lives, was ended by a signal, has ended by itself, has ended in a way that is not known
 * yet, or is gone together with its terminal. `unknown`: tmux did not answer, which proves nothing.
 */
export type PaneState = 'alive' | 'killed' | 'exited' | 'ending' | 'missing' | 'unknown'

/** What tmux knows of the orchestrator's pane. */
export class OrchestratorPane {
  private readonly context: RunnerContext
  private known = nothingKnown
  private endingSinceMs: number | undefined

  constructor(context: RunnerContext) {
    this.context = context
  }

  /** A pane whose process has ended is looked at again at once, any other one every two seconds. */
  async find(): Promise<PaneState> {
    const { tmux, session, clock } = this.context
    const { checkedAtMs, pid } = this.known
    const hasEnded = pid !== undefined && !hasProcess(pid)
    if (hasEnded || clock.read() - checkedAtMs > PANE_INTERVAL_MS) {
      const panes = await tmux.listPanes()
      const name = getTmuxSessionName(session)
      const own = panes.find(pane => pane.session === name && pane.window === 'orchestrator')
      const seen = own ? classifyPane(own, isPidTaken(own.pid)) : panes.length > 0 ? 'missing' : 'unknown'
      const state = this.isEndingForLong(seen) ? 'killed' : seen
      this.known = { checkedAtMs: clock.read(), pid: state === 'alive' ? own?.pid : undefined, state }
    }
    return this.known.state
  }

  /** Its claude was started again. */
  forget(): void {
    this.known = nothingKnown
    this.endingSinceMs = undefined
  }

  /** The system may have given its pid to another process, which says nothing about this one. */
  private isEndingForLong(state: PaneState): boolean {
    const nowMs = this.context.clock.read()
    this.endingSinceMs = state === 'ending' ? (this.endingSinceMs ?? nowMs) : undefined
    return this.endingSinceMs !== undefined && nowMs - this.endingSinceMs > MAX_ENDING_MS
  }
}

/**
 * How a pane is. A shell and a sandbox report the signal that ended what they ran as 128 and its number. An old tmux knows no exit
 * code after a signal, but neither does any tmux before it has asked the system: until then the system keeps the pid. Pure.
 */
export function classifyPane(
  { isDead, exitCode }: Pick<TmuxPane, 'isDead' | 'exitCode'>,
  isPidTaken: boolean,
): Extract<PaneState, 'alive' | 'killed' | 'exited' | 'ending'> {
  if (!isDead) return 'alive'
  if (exitCode !== undefined) return killedExitCodes.has(exitCode) ? 'killed' : 'exited'
  return isPidTaken ? 'ending' : 'killed'
}

// --- internal ---

/** Listing the panes costs a process. */
const PANE_INTERVAL_MS = 2000
/** No system takes longer to say how a process has ended. */
const MAX_ENDING_MS = 10_000
/** Signals that come from outside. Another one, such as that of an illegal instruction, is the program's own end. */
const killedExitCodes = new Set(
  (['SIGHUP', 'SIGKILL', 'SIGTERM'] as const).map(signal => 128 + os.constants.signals[signal]),
)

const nothingKnown: { checkedAtMs: number; pid: number | undefined; state: PaneState } = {
  checkedAtMs: Number.NEGATIVE_INFINITY,
  pid: undefined,
  state: 'unknown',
}
