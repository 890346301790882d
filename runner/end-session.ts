import { killProcessTree } from '#host/process'
import type { RunnerContext } from './context.ts'
import { restoreContractFile } from './contract/seal.ts'
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

/** End every process of the session and record why. Its files stay. */
export async function endSession(context: RunnerContext, actor: string, reason: string): Promise<void> {
  let problem = ''
  try {
    await stopWorkers(context, `the session was closed by ${actor}`)
    restoreContractFile(context)
  } catch (error) {
    problem = `; while closing: ${error instanceof Error ? error.message : error}`
  }
  context.record({ type: 'session.closed', actor, reason: `${reason}${problem}`.slice(0, MAX_CLOSE_REASON_CHARS) })
  await endProcesses(context)
}

export async function failStart(context: RunnerContext, { reason, exitCode }: StartFailure): Promise<void> {
  context.record({ type: 'start.failed', reason: reason.slice(0, MAX_START_REASON_CHARS), exitCode })
  await endProcesses(context)
}

async function endProcesses(context: RunnerContext): Promise<void> {
  const { session, tmux } = context
  const mark = `DISPATCH_SESSION=${session.id}`
  const terminal = getTmuxSessionName(session)
  try {
    for (const pane of await tmux.listPanes())
      if (pane.session === terminal && pane.window !== 'runner' && !pane.isDead) await killProcessTree(pane.pid, mark)
    await killProcessTree(0, mark)
  } finally {
    context.release()
  }
  await tmux.closeSession(terminal) // This process runs in it, so nothing comes after this.
}
