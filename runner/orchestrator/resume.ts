import fs from 'node:fs'
import { FIRST_PROMPT, prepareResume } from '#agents'
import { findTranscript, hasModelAnswer } from '#host/claude'
import { readIfPresent } from '#host/fs'
import { killProcessTree } from '#host/process'
import { findClaudeFolder } from '#session'
import type { RunnerContext } from '../context.ts'
import { discardRequests } from '../requests.ts'
import { buildOrchestratorCommand, getTmuxSession } from '../terminal.ts'
import { renderResumePrompt } from './resume-prompt.ts'

/** A start without a person: why, and how many there were in a row. */
export interface ResumeCause {
  reason: string
  consecutiveResumes: number
}

/**
 * Start the orchestrator's claude again, with its whole conversation, if it has ended: the session was put to sleep, the
 * machine was started again, or the process died. A claude that runs is left alone. With a cause, claude is told of it and goes
 * on by itself; without one, it waits at its input line for what a person says.
 */
export function resumeOrchestrator(context: RunnerContext, cause?: ResumeCause): Promise<void> {
  const started = (starts.get(context) ?? Promise.resolve()).catch(() => undefined).then(() => start(context, cause))
  starts.set(context, started)
  return started
}

// --- internal ---

/** A person's message and the runner itself may start it at once: one after the other, so the second finds it running. */
const starts = new WeakMap<RunnerContext, Promise<void>>()

async function start(context: RunnerContext, cause: ResumeCause | undefined): Promise<void> {
  const { session, tmux } = context
  const terminal = getTmuxSession(session)
  if ((await tmux.captureStyledText(terminal.session, 'orchestrator')) !== undefined) return
  await killProcessTree(0, `DISPATCH_STOP_GATE=${session.paths.stopGate}`) // What its claude has left, such as a tool that waits.
  if (context.status.phase !== 'judging') discardRequests(session.paths)
  const isNewConversation = !hasConversation(context)
  prepareResume(session, { isNewConversation, prompt: choosePrompt(context, isNewConversation, cause) })
  const command = buildOrchestratorCommand(session)
  if (!(await tmux.respawnWindow({ ...terminal, name: 'orchestrator', command }))) return
  const { sessionId } = session.manifest.claude
  context.record({
    type: 'orchestrator.resumed',
    claudeSessionId: sessionId,
    ...cause,
    ...(isNewConversation ? { isNewConversation } : {}),
  })
}

/**
 * Is there a transcript to go on with? One without an answer of the model holds nothing, and keeps a new conversation from having
 * the same id, so it is moved aside.
 */
function hasConversation({ session }: RunnerContext): boolean {
  const file = findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
  if (file === undefined) return false
  if (hasModelAnswer(readIfPresent(file) ?? '')) return true
  fs.renameSync(file, `${file}.unanswered`)
  return false
}

/** A new conversation always needs the story so far. */
function choosePrompt(
  context: RunnerContext,
  isNewConversation: boolean,
  cause: ResumeCause | undefined,
): string | undefined {
  if (context.status.phase === 'opening') return isNewConversation ? FIRST_PROMPT : renderResumePrompt(context, cause)
  // At the vendor's limit it waits at its input line until the limit is over.
  const { usageLimit } = context.status
  if (!isNewConversation && usageLimit && usageLimit.worker === undefined) return undefined
  return isNewConversation || cause ? renderResumePrompt(context, cause, isNewConversation) : undefined
}
