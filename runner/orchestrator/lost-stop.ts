import { findTranscript, hasEndedTurn } from '#host/claude'
import { readUntrusted } from '#host/fs'
import { SECOND_MS } from '#host/time.ts'
import { findClaudeFolder } from '#session'
import { isAtWork } from '#session/status'
import { callHuman, listActiveWorkers, type RunnerContext } from '../context.ts'
import { frameOwnWords } from '../messages/own-words.ts'
import { listPendingRequests } from '../requests.ts'
import { explainStopBlock, STOP_ATTEMPTS } from '../stop-gate.ts'

/** After this part of WATCHDOG_TIMEOUT_SEC a claude that has stopped is reminded; after all of it the session is stuck. */
const REMIND_AFTER_PART = 1 / 3
const TRANSCRIPT_TAIL_BYTES = 1024 * 1024

/**
 * Sees that the orchestrator has ended its turn too early although its Stop hook should have kept it going: the hook was lost, or
 * it took too long. Then claude is told what to do next, as the hook would have.
 */
export class LostStop {
  private remindedAtMs = Number.NEGATIVE_INFINITY

  /** `remind` types a text, and tells whether it could. */
  check(context: RunnerContext, idleMs: number, remind: (text: string) => boolean): void {
    const { status, config, clock, session } = context
    const waitMs = config.WATCHDOG_TIMEOUT_SEC * SECOND_MS * REMIND_AFTER_PART
    const reason = explainStopBlock(status)
    if (idleMs < waitMs || clock.read() - this.remindedAtMs < waitMs) return
    if (reason === undefined || !isAtWork(status) || status.phase === 'opening' || status.phase === 'judging') return
    if (listActiveWorkers(status).length > 0 || listPendingRequests(session.paths).length > 0) return
    if (!hasStopped(context)) return
    if (status.idleTurns + 1 >= STOP_ATTEMPTS)
      callHuman(context, `the orchestrator has stopped ${STOP_ATTEMPTS} times without progress`)
    else if (remind(frameOwnWords(reason))) context.record({ type: 'turn.ended', isBlocked: true })
    else return
    this.remindedAtMs = clock.read()
  }
}

// --- internal ---

function hasStopped({ session }: RunnerContext): boolean {
  const file = findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
  const tail = file && readUntrusted(file, TRANSCRIPT_TAIL_BYTES, -TRANSCRIPT_TAIL_BYTES)
  return tail !== undefined && tail !== '' && hasEndedTurn(tail.toString('utf8'))
}
