import { unreachable } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { readLog } from '#session/log'
import { describeJudgeWait, isAtWork, isSettled, type SessionStatus } from '#session/status'
import { accept, type CommandReply, callHuman, type RunnerContext, refuse } from '../context.ts'
import { authorizeMessage } from '../contract/approval.ts'
import { resumeOrchestrator } from '../orchestrator/resume.ts'
import { ResumeTimer } from '../usage-limit/parking.ts'
import { resumeMessage } from '../usage-limit/usage-limit.ts'
import type { OrchestratorTerminal } from './orchestrator-terminal.ts'
import { describeOverlap, frameOwnWords } from './own-words.ts'
import { clearPasteMark, listPendingMessages, readPasteOffset, type StoredMessage, writeMessageReply } from './store.ts'
import { type Delivery, frameMessage, verdictHeading } from './type-into-terminal.ts'

/** The id of the message that dispatch itself sends after a usage limit. */
const LIMIT_MESSAGE_ID = 'limit'
/** The id of what dispatch says when claude stopped too early, and its hook did not. */
const REMINDER_ID = 'reminder'
/** The id of what dispatch says when another session has landed. */
const OVERLAP_ID = 'overlap'
const OWN_WORDS_TIMEOUT_MS = 30 * SECOND_MS
const INTERRUPT_AGAIN_MS = 10 * SECOND_MS
const MAX_VERDICT_CHARS = 20_000

/** Delivers the human's messages to the orchestrator, in order and each once, and the message after a usage limit. */
export class MessageDelivery {
  private readonly context: RunnerContext
  private readonly terminal: OrchestratorTerminal
  private isBusy = false
  private readonly resumeTimer = new ResumeTimer()
  /** Set while a message waits in claude's queue: the size of the transcript when it was pasted. */
  private queuedOffset: number | undefined
  private interruptedAtMs = Number.NEGATIVE_INFINITY

  constructor(context: RunnerContext, terminal: OrchestratorTerminal) {
    this.context = context
    this.terminal = terminal
  }

  isDelivering(): boolean {
    return this.isBusy
  }

  /** Begin to deliver the next message, unless one is being delivered. */
  deliverNext(): void {
    if (this.isBusy) return
    const mayTellOverlap = isAtWork(this.context.status)
    const message = listPendingMessages(this.context.session.paths)
      .filter(isForOrchestrator)
      .find(({ kind }) => kind !== 'overlap' || mayTellOverlap)
    if (!message && !this.resumeTimer.isDue(this.context)) return
    this.begin(message ? this.deliver(message) : this.sendResumeMessage())
  }

  /** Type a text of dispatch itself, unless something is being delivered. Returns whether it is typed now. */
  remind(text: string): boolean {
    if (this.isBusy) return false
    this.begin(this.typeOwnWords(text, REMINDER_ID))
    return true
  }

  /**
   * True while a message waits for the running tool to end. A tool that only waits should then return. Soon after one did, claude
   * has the message but may not have written that into its transcript, so the next tool is not interrupted at once.
   */
  shouldInterrupt(): boolean {
    if (this.queuedOffset === undefined || performance.now() - this.interruptedAtMs < INTERRUPT_AGAIN_MS) return false
    if (this.terminal.hasReadQueue(this.queuedOffset)) this.queuedOffset = undefined
    return this.queuedOffset !== undefined
  }

  /** Note that a tool returned for the message that waits. */
  recordInterrupt(): void {
    this.interruptedAtMs = performance.now()
  }

  private begin(delivery: Promise<void>): void {
    this.isBusy = true
    delivery
      .catch(error => this.context.recordFailure(error))
      .finally(() => {
        this.isBusy = false
      })
  }

  private async deliver(message: OrchestratorMessage): Promise<void> {
    const reply = await this.deliverAs(message)
    writeMessageReply(this.context.session.paths, message.id, reply)
  }

  private async deliverAs(message: OrchestratorMessage): Promise<CommandReply> {
    if (message.kind === 'verdict') return this.typeVerdict(message)
    if (message.kind === 'overlap') return this.tellOverlap(message)
    return (await authorizeMessage(this.context, message)) ?? this.resumeAndType(message)
  }

  /** Another session has landed changes to files of this one. What lands of this one is proved again, so this is no order. */
  private async tellOverlap({
    session,
    branch,
    files,
  }: OrchestratorMessage & { kind: 'overlap' }): Promise<CommandReply> {
    const { context } = this
    // A runner that died before it could reply may have told it.
    if (context.status.overlaps.some(each => each.session === session)) return accept('told before')
    context.record({ type: 'landing.overlapped', session, branch, files })
    await this.typeOwnWords(frameOwnWords(describeOverlap(session, branch, files)), OVERLAP_ID)
    return accept('told')
  }

  /** Send the verdict of a round whose judge was waited for. Without it, an orchestrator with rounds left would not go on. */
  private async typeVerdict({ id, text, deadline }: OrchestratorMessage & { kind: 'verdict' }): Promise<CommandReply> {
    // It may have ended while nothing was left for it to do. After a final verdict nothing is.
    if (!isSettled(this.context.status)) await resumeOrchestrator(this.context)
    const framed = frameMessage(sanitize(text).slice(0, MAX_VERDICT_CHARS), id, verdictHeading)
    const result = await this.terminal.type(framed, id, deadline)
    if (result.ok) return accept(result.mode)
    if (isSettled(this.context.status)) return refuse(result.reason, result.exitCode)
    return callHuman(this.context, `the orchestrator could not be told the verdict: ${result.reason}`)
  }

  /** What a person says starts an orchestrator again whose claude has ended. */
  private async resumeAndType(message: HumanMessage): Promise<CommandReply> {
    if (this.context.status.phase !== 'opening') await resumeOrchestrator(this.context)
    return this.typeOnce(message)
  }

  private async typeOnce(message: HumanMessage): Promise<CommandReply> {
    const { context } = this
    const { paths } = context.session
    const messageId = message.id
    // A runner that died before it could reply may have delivered it already.
    const earlier = readLog(paths.events).events.find(
      event => event.type === 'message.delivered' && event.messageId === messageId,
    )
    if (earlier?.type === 'message.delivered')
      return formatDeliveredReply(message, { mode: earlier.delivery, isUnchanged: true }, context.status)
    const result = await this.terminal.type(
      frameMessage(this.formatText(message), messageId),
      messageId,
      message.deadline,
    )
    if (!result.ok) {
      context.record({ type: 'message.rejected', messageId, reason: result.reason.slice(0, 300) })
      if (message.kind === 'say') return refuse(result.reason, result.exitCode)
      const decision = message.kind === 'approve' ? 'The contract is approved' : 'The contract is sent back'
      return refuse(`${decision}, but the orchestrator was not notified: ${result.reason}`, result.exitCode)
    }
    if (result.mode === 'joined the running turn') {
      this.queuedOffset = readPasteOffset(paths, messageId)
      this.interruptedAtMs = Number.NEGATIVE_INFINITY
    }
    const text = this.formatText(message)
    const bytes = Buffer.byteLength(text)
    context.record({ type: 'message.delivered', messageId, bytes, sha256: sha256(text), delivery: result.mode })
    return formatDeliveredReply(message, result, context.status)
  }

  /** The usage limit should be over. Hook events show whether it is. */
  private async sendResumeMessage(): Promise<void> {
    this.resumeTimer.recordAttempt(this.context)
    await this.typeOwnWords(resumeMessage, LIMIT_MESSAGE_ID)
  }

  /** Type what dispatch itself says. The id serves again, so the mark of the paste does not stay. */
  private async typeOwnWords(text: string, id: string): Promise<void> {
    try {
      await this.terminal.type(text, id, Date.now() + OWN_WORDS_TIMEOUT_MS)
    } finally {
      clearPasteMark(this.context.session.paths, id)
    }
  }

  /** The text that the orchestrator gets. */
  private formatText(message: HumanMessage): string {
    const isAmendment = this.context.status.contract !== undefined
    switch (message.kind) {
      case 'say':
        return message.text
      case 'approve':
        return isAmendment
          ? 'The human has approved the amendment. Run `contract amend` again with exactly this contract.md, then continue.'
          : 'The human has approved the contract. Run the same spawn-worker again. It seals exactly the approved text.'
      case 'decline':
        return isAmendment
          ? `The human has not approved the amendment:\n${message.reason}\nThe sealed contract stays in force. Continue with it.`
          : `The human has not approved the contract:\n${message.reason}\nFix contract.md, run \`contract check\`, then spawn-worker, which asks the human again.`
      default:
        return unreachable(message)
    }
  }
}

type OrchestratorMessage = Exclude<StoredMessage, { kind: 'judge' }>
type HumanMessage = Exclude<OrchestratorMessage, { kind: 'verdict' | 'overlap' }>

/** The judge is asked again beside the other messages. */
function isForOrchestrator(message: StoredMessage): message is OrchestratorMessage {
  return message.kind !== 'judge'
}

function formatDeliveredReply(
  message: HumanMessage,
  { mode, isUnchanged }: Delivery,
  status: SessionStatus,
): CommandReply {
  const waiting = describeJudgeWait(status, iso => new Date(iso).toTimeString().slice(0, 5))
  const outcome = { say: 'Delivered', approve: 'Approved and delivered', decline: 'Sent back' }[message.kind]
  const detail =
    mode === 'began a turn'
      ? 'it began a turn'
      : 'it joined the running turn, which reads it as soon as the current tool has ended'
  const note = isUnchanged ? '' : '\nClaude changed some of its characters on the way.'
  const parked = waiting === undefined ? '' : `\nThe session is ${waiting}.`
  return accept(`${outcome}: ${detail}.${note}${parked}`)
}
