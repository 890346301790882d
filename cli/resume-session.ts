import os from 'node:os'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { launchSuccessor, reopenSession } from '#runner'
import { refuseNewerFormat, type Session } from '#session'
import { listOpenSessions } from '#session/search-index'
import { isSettled, readView, refuseOtherHost, type SessionStatus } from '#session/status'
import { hasFinalVerdict } from './close-expired.ts'
import { hasTerminal, sendMessage } from './input/send-message.ts'
import { withQueue } from './queue/open.ts'

/** How long the message may wait for claude, which may have to start first, in seconds. */
const MESSAGE_TIMEOUT_SECONDS = 120

/** What a session is told that needs a person, who has nothing to add. */
const GO_ON = 'Continue where you stopped.'

/**
 * Go on with a session: start what is gone of it, and tell its orchestrator what the person says. Returns what was done, as a
 * sentence for the person. Exit 5 where there is nothing to go on with, 2 where a question needs an answer.
 */
export async function resumeSession(session: Session, config: Config, guidance: string): Promise<string> {
  refuseNewerFormat(session)
  await refuseOtherHost(session)
  const { status, runnerLiveness } = await readView(session)
  refuseWithoutWork(session, status)
  const letters = session.id.slice(-4)
  if (guidance === '' && status.phase === 'asking')
    throw new DispatchError(`session ${session.id} waits for your answer`, {
      exitCode: exitCodes.usage,
      remedy: `Give it: dispatch resume ${letters} "…". To see the question: dispatch show ${letters}`,
    })
  if (status.closed) await reopen(session, config)
  else if (runnerLiveness === 'dead' && !isSettled(status)) await startRunner(session, config)
  else if (guidance === '' && status.phase !== 'needs you')
    return isSettled(status)
      ? `It has ended with ${status.phase}. To go on with it: dispatch resume ${letters} "…"`
      : `It runs already. To follow it: dispatch watch ${letters}`
  const words = guidance || (status.phase === 'needs you' && !status.closed ? GO_ON : '')
  if (words !== '') return sendMessage(session, config, { kind: 'say', text: words }, MESSAGE_TIMEOUT_SECONDS)
  return `Taken up again: it goes on with its whole conversation. To follow it: dispatch watch ${letters}`
}

// --- internal ---

/** Nothing is left to do in a session that never started, or that was closed with its verdict. */
function refuseWithoutWork({ id }: Session, status: SessionStatus): void {
  const { phase, closed } = status
  const letters = id.slice(-4)
  const refuse = (reason: string, remedy: string) => {
    throw new DispatchError(`session ${id} ${reason}`, { exitCode: exitCodes.conflict, remedy })
  }
  if (phase === 'failed') refuse('never started', `To try its task again: dispatch retry ${letters}`)
  if (hasFinalVerdict(status) && closed)
    refuse(
      `has ended with ${phase}`,
      `To try its task again with what was found: dispatch retry ${letters} "more context"`,
    )
}

async function reopen(session: Session, config: Config): Promise<void> {
  await reopenSession(session, config, os.userInfo().username || 'you')
  await listOpenSessions(config, { isThorough: true }) // The index takes it for closed.
  const { queueItem } = session.manifest
  if (queueItem !== null) await withQueue(config, queue => queue.resume(queueItem, session.id))
  await startRunner(session, config)
}

/** The daemon may have started one at the same moment. */
async function startRunner(session: Session, config: Config): Promise<void> {
  try {
    await launchSuccessor(session, config)
  } catch (error) {
    if (!(await hasTerminal(session, config))) throw error
  }
}
