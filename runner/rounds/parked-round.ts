import { DispatchError, exitCodes } from '#host/error.ts'
import { identify } from '#host/process'
import { SECOND_MS } from '#host/time.ts'
import type { VerdictRecord } from '#session/evidence'
import { explainJudgeRefusal } from '#session/status'
import { accept, type CommandReply, callHuman, type RunnerContext, refuse } from '../context.ts'
import { authorizeMessage } from '../contract/approval.ts'
import { listPendingMessages, storeMessage, writeMessageReply } from '../messages/store.ts'
import { listPendingRequests, writeRequestReply } from '../requests.ts'
import { askJudge } from './judge-process.ts'
import { concludeRound, settleRound } from './judge-round.ts'
import { computeWaitEnd } from './park.ts'
import { readQuestion } from './question.ts'
import { createVerdictReply } from './verdict-reply.ts'
import { verifyRecord } from './verify-record.ts'

/** How long to wait after a failure of dispatch itself, such as a full disk. */
const FAILURE_PAUSE_MS = 30 * SECOND_MS

/** How long the verdict may wait until the orchestrator's input line is free. */
const DELIVERY_TIMEOUT_MS = 600 * SECOND_MS

/**
 * A round whose judge gave no answer: asked again when its pause is over, also by the next runner. Everything it needs is on
 * disk and in the log, so no check runs again.
 */
export class ParkedRound {
  private isBusy = false
  private isAnswering = false
  private notBeforeMs = 0
  /** When the pause of the log is over on a clock that cannot be set. */
  private due = { nextAt: '', atMs: 0 }

  check(context: RunnerContext): void {
    this.answerRequests(context)
    const { judgeWait, closed } = context.status
    if (judgeWait === null || closed || this.isBusy) return
    if (performance.now() < this.notBeforeMs || !this.isPauseOver(judgeWait.nextAt)) return
    this.isBusy = true
    askAgain(context)
      .catch(error => {
        this.notBeforeMs = performance.now() + FAILURE_PAUSE_MS
        if (error instanceof DispatchError && error.exitCode === exitCodes.integrity && context.isOwner())
          callHuman(context, error.message, error.exitCode)
        else context.recordFailure(error)
      })
      .finally(() => {
        this.isBusy = false
      })
  }

  /** By the wall clock, which goes on while the machine sleeps, or after as long a time, if that clock was set back. */
  private isPauseOver(nextAt: string): boolean {
    const missingMs = Date.parse(nextAt) - Date.now()
    if (this.due.nextAt !== nextAt) this.due = { nextAt, atMs: performance.now() + missingMs }
    return missingMs <= 0 || performance.now() >= this.due.atMs
  }

  /** Answer `dispatch judge`. */
  private answerRequests(context: RunnerContext): void {
    const { paths } = context.session
    const message = listPendingMessages(paths).find(({ kind }) => kind === 'judge')
    if (message === undefined || this.isAnswering) return
    this.isAnswering = true
    authorizeMessage(context, message)
      .then(refusal => {
        this.notBeforeMs = 0
        writeMessageReply(paths, message.id, refusal ?? requestJudgement(context, message.sender.name))
      })
      .catch(error => context.recordFailure(error))
      .finally(() => {
        this.isAnswering = false
      })
  }
}

/** A person wants the judge to be asked again: record it, or answer why not. `ParkedRound` does it at the next tick. */
function requestJudgement(context: RunnerContext, actor: string): CommandReply {
  const { session, status } = context
  const refusal = explainJudgeRefusal(status)
  if (refusal !== undefined) return refuse(refusal, exitCodes.conflict)
  const round = status.judgeWait?.round ?? status.judgeQuestion?.round ?? status.round
  const until = new Date(computeWaitEnd(session.manifest.deadline, Date.now())).toISOString()
  context.record({ type: 'judging.requested', round, actor, until })
  return accept('The judge is being asked again.')
}

/** Ask the judge again about a session that no runner runs: the answer, or the lack of one, is the last word. */
export async function judgeWithoutOrchestrator(context: RunnerContext, actor: string): Promise<void> {
  verifyRecord(context)
  const { exitCode, text } = requestJudgement(context, actor)
  if (exitCode !== exitCodes.ok) throw new DispatchError(text, { exitCode: exitCodes.conflict })
  const question = readQuestion(context)
  await concludeRound(context, question, await askJudge(question.packet, context.config), { isFinal: true })
}

// --- internal ---

async function askAgain(context: RunnerContext): Promise<void> {
  verifyRecord(context)
  const question = readQuestion(context)
  const judged = await askJudge(question.packet, context.config)
  if (context.status.judgeWait?.round !== question.round) return // Other work has taken the place of this round.
  const record = await settleRound(context, question, judged)
  if (record) await reportVerdict(context, record)
}

/** The verdict is the reply to the `submit` that waits for it. If none does, it is sent as a message. */
async function reportVerdict(context: RunnerContext, record: VerdictRecord): Promise<void> {
  const { session } = context
  const reply = createVerdictReply(context, record)
  const waiting = listPendingRequests(session.paths).filter(({ tool }) => tool === 'submit')
  for (const { id } of waiting) writeRequestReply(session.paths, id, reply)
  const identity = await identify(process.pid)
  if (waiting.length > 0 || identity === undefined) return
  const deadline = new Date(Date.now() + DELIVERY_TIMEOUT_MS).toISOString()
  storeMessage(session, { kind: 'verdict', text: reply.text, deadline, sender: { ...identity, name: 'dispatch' } })
}
