import { prepareResume } from '#agents'
import type { RunnerContext } from '../context.ts'
import { buildOrchestratorCommand, getTmuxSession } from '../terminal.ts'

/**
 * Start the orchestrator's claude again, with its whole conversation, if it has ended: the session was put to sleep, the
 * machine was started again, or the process died. A claude that runs is left alone.
 */
export async function resumeOrchestrator(context: RunnerContext): Promise<void> {
  const { session, tmux } = context
  const terminal = getTmuxSession(session)
  if ((await tmux.captureStyledText(terminal.session, 'orchestrator')) !== undefined) return
  prepareResume(session)
  const command = buildOrchestratorCommand(session)
  if (await tmux.respawnWindow({ ...terminal, name: 'orchestrator', command }))
    context.record({ type: 'orchestrator.resumed', claudeSessionId: session.manifest.claude.sessionId })
}
