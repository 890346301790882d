import fs from 'node:fs'
import { findTranscript, type InputLine, parseInputLine, parseTranscriptPrompts } from '#host/claude'
import { unreachable } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { findClaudeFolder } from '#session'
import { readLog } from '#session/log'
import { describeJudgeWait, isSettled, type SessionStatus } from '#session/status'
import { accept, type CommandReply, callHuman, type RunnerContext, refuse } from '../context.ts'
import { authorizeMessage } from '../contract/approval.ts'
import type { HookEvent } from '../orchestrator/hook-inbox.ts'
import { resumeOrchestrator } from '../orchestrator/resume.ts'
import { isLimitDialog, resumeMessage } from '../orchestrator/usage-limit.ts'
import { ResumeTimer } from '../orchestrator/usage-limit-parking.ts'
import { getTmuxSessionName } from '../terminal.ts'
import {
  clearPasteMark,
  listPendingMessages,
  readPasteOffset,
  recordPaste,
  type StoredMessage,
  writeMessageReply,
} from './store.ts'
import {
  type Delivery,
  frameMessage,
  type Keyboard,
  matchDelivery,
  typeMessage,
  verdictHeading,
} from './type-into-terminal.ts'

/** The id of the message that dispatch itself sends after a usage limit. */
const LIMIT_MESSAGE_ID = 'limit'
/** The id of what dispatch says when claude stopped too early, and its hook did not. */
const REMINDER_ID = 'reminder'
const OWN_WORDS_TIMEOUT_MS = 30 * SECOND_MS
const INTERRUPT_AGAIN_MS = 10 * SECOND_MS
const KEPT_PROMPT_COUNT = 20
const MAX_VERDICT_CHARS = 20_000

/** Delivers the human's messages to the orchestrator, in order and each once, and the message after a usage limit. */
export class MessageDelivery {
  private readonly context: RunnerContext
  private isBusy = false
  /** The prompts that claude's hook reported, newest last. */
  private prompts: string[] = []
  private readonly resumeTimer = new ResumeTimer()
  /** Set while a message waits in claude's queue: the size of the transcript when it was pasted. */
  private queuedOffset: number | undefined
  private interruptedAtMs = Number.NEGATIVE_INFINITY

  constructor(context: RunnerContext) {
    this.context = context
  }

  isDelivering(): boolean {
    return this.isBusy
  }

  /** Begin to deliver the next message, unless one is being delivered. */
  deliverNext(): void {
    if (this.isBusy) return
    const message = listPendingMessages(this.context.session.paths).find(isForOrchestrator)
    if (!message && !this.resumeTimer.isDue(this.context)) return
    this.begin(message ? this.deliver(message) : this.sendResumeMessage())
  }

  /** Type a text of dispatch itself, unless something is being delivered. Returns whether it is typed now. */
  remind(text: string): boolean {
    if (this.isBusy) return false
    this.begin(this.typeOwnWords(text, REMINDER_ID))
    return true
  }

  /** Note a prompt that claude's hook reports, which it also does for a queued one. */
  recordPrompt({ hook_event_name, session_id, prompt }: HookEvent): void {
    if (hook_event_name === 'UserPromptSubmit' && session_id === this.context.session.manifest.claude.sessionId)
      this.prompts = [...this.prompts, prompt ?? ''].slice(-KEPT_PROMPT_COUNT)
  }

  /**
   * True while a message waits for the running tool to end. A tool that only waits should then return. Soon after one did, claude
   * has the message but may not have written that into its transcript, so the next tool is not interrupted at once.
   */
  shouldInterrupt(): boolean {
    if (this.queuedOffset === undefined || performance.now() - this.interruptedAtMs < INTERRUPT_AGAIN_MS) return false
    if (this.readPromptsSince(this.queuedOffset).some(({ kind }) => kind === 'dequeued')) this.queuedOffset = undefined
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
    const reply =
      message.kind === 'verdict'
        ? await this.typeVerdict(message)
        : ((await authorizeMessage(this.context, message)) ?? (await this.resumeAndType(message)))
    writeMessageReply(this.context.session.paths, message.id, reply)
  }

  /** Send the verdict of a round whose judge was waited for. Without it, an orchestrator with rounds left would not go on. */
  private async typeVerdict({ id, text, deadline }: OrchestratorMessage & { kind: 'verdict' }): Promise<CommandReply> {
    // It may have ended while nothing was left for it to do. After a final verdict nothing is.
    if (!isSettled(this.context.status)) await resumeOrchestrator(this.context)
    const framed = frameMessage(sanitize(text).slice(0, MAX_VERDICT_CHARS), id, verdictHeading)
    const result = await this.type(framed, id, deadline)
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
    const result = await this.type(frameMessage(this.formatText(message), messageId), messageId, message.deadline)
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
      await this.type(text, id, Date.now() + OWN_WORDS_TIMEOUT_MS)
    } finally {
      clearPasteMark(this.context.session.paths, id)
    }
  }

  private type(text: string, id: string, deadline: string | number): ReturnType<typeof typeMessage> {
    const { paths } = this.context.session
    return typeMessage(this.createKeyboard(), {
      text,
      deadlineMs: new Date(deadline).getTime(),
      pasteOffset: readPasteOffset(paths, id),
      recordPaste: offset => recordPaste(paths, id, offset),
    })
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

  private createKeyboard(): Keyboard {
    const { tmux, session } = this.context
    const window = [getTmuxSessionName(session), 'orchestrator'] as const
    const baseMs = Date.now() - performance.now()
    return {
      readInputLine: async (): Promise<InputLine | undefined> => {
        const screen = await tmux.captureStyledText(...window)
        const { closed, phase, usageLimit } = this.context.status
        if (screen === undefined || closed) return undefined
        if (phase === 'opening' && usageLimit === null)
          return { kind: 'hidden', reason: 'the orchestrator has not started yet' }
        if (isLimitDialog(screen)) await tmux.pressEnter(...window)
        return parseInputLine(screen)
      },
      paste: text => tmux.paste(...window, text),
      pressEnter: () => tmux.pressEnter(...window),
      getTranscriptEnd: () => {
        this.prompts = []
        const file = this.findTranscriptFile()
        return file === undefined ? 0 : fs.statSync(file).size
      },
      findDelivery: (text, offset) => this.findDelivery(text, offset),
      pause: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      now: () => baseMs + performance.now(), // The time of day, whatever happens to the clock meanwhile.
    }
  }

  /** The transcript shows more than the hook: whether a message began a turn or waits in its queue. */
  private findDelivery(text: string, offset: number): Delivery | undefined {
    for (const prompt of this.readPromptsSince(offset)) {
      const match = prompt.kind === 'dequeued' ? undefined : matchDelivery(text, prompt.text)
      if (match) return { mode: prompt.kind === 'queued' ? 'joined the running turn' : 'began a turn', ...match }
    }
    if (this.findTranscriptFile() !== undefined) return undefined
    const match = this.prompts.map(prompt => matchDelivery(text, prompt)).find(Boolean)
    return match && { mode: isSettled(this.context.status) ? 'began a turn' : 'joined the running turn', ...match }
  }

  private readPromptsSince(offset: number): ReturnType<typeof parseTranscriptPrompts> {
    const file = this.findTranscriptFile()
    if (file === undefined) return []
    const fd = fs.openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(Math.max(0, fs.fstatSync(fd).size - offset))
      const length = fs.readSync(fd, bytes, 0, bytes.length, offset)
      return parseTranscriptPrompts(bytes.subarray(0, length).toString('utf8'))
    } finally {
      fs.closeSync(fd)
    }
  }

  private findTranscriptFile(): string | undefined {
    const { session } = this.context
    return findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
  }
}

type OrchestratorMessage = Exclude<StoredMessage, { kind: 'judge' }>
type HumanMessage = Exclude<OrchestratorMessage, { kind: 'verdict' }>

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
