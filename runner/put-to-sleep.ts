import { setTimeout as sleep } from 'node:timers/promises'
import { exitCodes } from '#host/error.ts'
import { killProcessTree } from '#host/process'
import { SECOND_MS } from '#host/time.ts'
import { needsPerson } from '#session/status'
import { listActiveWorkers, type RunnerContext } from './context.ts'
import { leaveSession } from './end-session.ts'
import { getTmuxSessionName } from './terminal.ts'

/** Puts a session to sleep that waits for a person. */
export class SleepWatch {
  private nextLookMs = Number.NEGATIVE_INFINITY

  /** `orchestrator` tells how long no agent has done anything. */
  async check(context: RunnerContext, orchestrator: { measureIdle(): number }): Promise<void> {
    const nowMs = context.clock.read()
    if (!isTimeToSleep(context, orchestrator.measureIdle()) || nowMs < this.nextLookMs) return
    this.nextLookMs = nowMs + LOOK_INTERVAL_MS
    if (await context.tmux.isAttached(getTmuxSessionName(context.session))) return // Someone reads or types there.
    await putToSleep(context)
  }
}

// --- internal ---

/** Asking tmux costs a process. */
const LOOK_INTERVAL_MS = 10 * SECOND_MS

const END_TIMEOUT_MS = 3 * SECOND_MS
const END_POLL_MS = 100

/**
 * Has a session waited for a person for so long that it should not keep its processes? Not while claude does something all
 * the same, nor while something else may still happen by itself: a worker, the judge, the vendor's limit, or a deadline, of which
 * the runner must tell.
 */
function isTimeToSleep({ status, config, clock, session }: RunnerContext, idleMs: number): boolean {
  const sleepAfterMs = config.SLEEP_AFTER_SEC * SECOND_MS
  const { deadline } = session.manifest
  if (sleepAfterMs === 0 || !needsPerson(status) || status.problemExitCode === exitCodes.integrity) return false
  if (
    status.judgeWait !== null ||
    status.usageLimit !== null ||
    listActiveWorkers(status).some(worker => !status.isTimeUp || worker.startedAt !== undefined)
  )
    return false
  if (deadline !== null && !status.isPastDeadline) return false
  return Math.min(idleMs, clock.measure('waits for a person', status.phaseStartedAt)) > sleepAfterMs
}

/** End claude, the terminal and this runner. An answer starts them again: `resumeOrchestrator`. */
async function putToSleep(context: RunnerContext): Promise<void> {
  const { session, tmux } = context
  const findClaude = async () =>
    (await tmux.listPanes()).find(
      pane => pane.session === getTmuxSessionName(session) && pane.window === 'orchestrator' && !pane.isDead,
    )
  const claude = await findClaude()
  if (claude) await killProcessTree(claude.pid, '', 'SIGTERM') // So that it can write what it still has to.
  for (let waitedMs = 0; waitedMs < END_TIMEOUT_MS && (await findClaude()); waitedMs += END_POLL_MS)
    await sleep(END_POLL_MS)
  context.record({ type: 'session.slept', afterSeconds: context.config.SLEEP_AFTER_SEC })
  await leaveSession(context)
}
