import type { RunnerContext } from './context.ts'
import { restoreContractFile } from './contract/seal.ts'
import { endAgents } from './end-agents.ts'
import { recordCost } from './orchestrator/cost.ts'
import { getTmuxSessionName } from './terminal.ts'
import { stopWorkers } from './workers/watch.ts'

const MAX_CLOSE_REASON_CHARS = 400
/** A start that failed has the last lines of claude's screen in its reason. */
const MAX_START_REASON_CHARS = 3000

/** The session could not start: the reason for a person, and the exit code of the command that waits. */
export interface StartFailure {
  reason: string
  exitCode: number
}

/**
 * End every process of the session and record why. Its files stay. The processes end first, because on a full disk nothing can be
 * recorded; then this throws, and may be called again.
 */
export async function endSession(context: RunnerContext, actor: string, reason: string): Promise<void> {
  await endAgents(context)
  let problem = ''
  try {
    await stopWorkers(context, `the session was closed by ${actor}`)
    restoreContractFile(context)
    recordCost(context)
  } catch (error) {
    problem = `; while closing: ${error instanceof Error ? error.message : error}`
  }
  // The disk may have reported an error for a line that is there.
  if (context.status.closed === undefined)
    context.record({ type: 'session.closed', actor, reason: `${reason}${problem}`.slice(0, MAX_CLOSE_REASON_CHARS) })
  await leaveSession(context)
}

export async function failStart(context: RunnerContext, { reason, exitCode }: StartFailure): Promise<void> {
  await endAgents(context)
  context.record({ type: 'start.failed', reason: reason.slice(0, MAX_START_REASON_CHARS), exitCode })
  await leaveSession(context)
}

/** End what is left, give up the lease, and close the terminal, in which this process runs. */
export async function leaveSession(context: RunnerContext): Promise<void> {
  const { session, tmux } = context
  try {
    await endAgents(context) // What was started meanwhile.
  } finally {
    context.release()
  }
  await tmux.closeSession(getTmuxSessionName(session)) // This process runs in it, so nothing comes after this.
}
