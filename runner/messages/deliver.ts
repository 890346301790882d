import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { findTranscript, type InputLine, parseInputLine, parseTranscriptPrompts } from '#host/claude'
import { unreachable } from '#host/error.ts'
import { findClaudeFolder } from '#session'
import { readLog } from '#session/log'
import { isSettled } from '#session/status'
import type { CommandReply, RunnerContext } from '../context.ts'
import { authorizeMessage } from '../contract/approval.ts'
import type { HookEvent } from '../orchestrator/hook-inbox.ts'
import { isLimitDialog, resumeMessage } from '../orchestrator/usage-limit.ts'
import { ResumeReminder } from '../orchestrator/usage-limit-pause.ts'
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
  type DeliveryMode,
  frameMessage,
  type Keyboard,
  matchDelivery,
  type TypingResult,
  typeMessage,
} from './type-into-terminal.ts'

/** Carries the human's words into the orchestrator, in the order in which they were left, each once; and ours after a limit. */
export class MessageDelivery {
  private readonly running: RunnerContext
  private readonly recordFailure: (error: unknown) => void
  private busy: Promise<void> | undefined
  /** Prompts that claude's own hook has told of, the newest last. */
  private prompts: string[] = []
  private readonly reminder = new ResumeReminder()
  /** A word that waits in claude's queue for the running tool to end, and from where on its transcript tells of it. */
  private queued: number | undefined

  constructor(context: RunnerContext, stumble: (error: unknown) => void) {
    this.running = context
    this.recordFailure = stumble
  }

  /** Take up the next word, unless one is on its way. */
  deliverNext(): void {
    if (this.busy) return
    const { paths } = this.running.session
    const [word] = listPendingMessages(paths)
    if (word) this.runExclusively(this.deliver(word).then(reply => writeMessageReply(paths, word.id, reply)))
    else if (this.reminder.isDue(this.running)) this.runExclusively(this.remind())
  }

  private runExclusively(errand: Promise<void>): void {
    this.busy = errand.catch(this.recordFailure).finally(() => {
      this.busy = undefined
    })
  }

  /** Claude's hook tells of each prompt, also of one that is only queued. */
  recordPrompt({ hook_event_name, session_id, prompt }: HookEvent): void {
    if (hook_event_name === 'UserPromptSubmit' && session_id === this.running.session.manifest.claude.sessionId)
      this.prompts = [...this.prompts, prompt ?? ''].slice(-20)
  }

  /** Does a word wait for the running tool to end? Then a tool that only waits should end. */
  hasQueuedMessage(): boolean {
    if (this.queued === undefined) return false
    if (this.readPromptsSince(this.queued).some(heard => heard.kind === 'dequeued')) this.queued = undefined
    return this.queued !== undefined
  }

  private async deliver(message: StoredMessage): Promise<CommandReply> {
    const { paths } = this.running.session
    const refused = await authorizeMessage(this.running, message)
    if (refused) return refused
    const said = readLog(paths.events).events.find(
      event => event.type === 'message.delivered' && event.messageId === message.id,
    )
    if (said?.type === 'message.delivered')
      return formatDeliveredReply(message, { mode: said.delivery, isUnchanged: true }) // By a runner that died before it could answer.
    const text = frameMessage(this.formatText(message), message.id)
    const typed = await typeMessage(this.keyboard(), {
      text,
      deadlineMs: Date.parse(message.deadline),
      pasteOffset: readPasteOffset(paths, message.id),
      recordPaste: from => recordPaste(paths, message.id, from),
    })
    return typed.ok ? this.recordDelivered(message, typed) : this.recordRejected(message, typed)
  }

  /** A usage limit is over, as far as we know. What comes of it, the hooks tell. */
  private async remind(): Promise<void> {
    const { paths } = this.running.session
    this.reminder.recordAttempt()
    await typeMessage(this.keyboard(), {
      text: resumeMessage,
      deadlineMs: Date.now() + 30_000,
      pasteOffset: readPasteOffset(paths, LIMIT_MESSAGE_ID),
      recordPaste: from => recordPaste(paths, LIMIT_MESSAGE_ID, from),
    })
    clearPasteMark(paths, LIMIT_MESSAGE_ID)
  }

  private recordDelivered(message: StoredMessage, typed: Extract<TypingResult, { ok: true }>): CommandReply {
    const { running: context } = this
    if (typed.mode === 'joined the running turn') this.queued = readPasteOffset(context.session.paths, message.id)
    context.record({
      type: 'message.delivered',
      messageId: message.id,
      bytes: Buffer.byteLength(this.formatText(message)),
      sha256: createHash('sha256').update(this.formatText(message)).digest('hex'),
      delivery: typed.mode,
    })
    return formatDeliveredReply(message, typed)
  }

  private recordRejected(message: StoredMessage, { exit, reason }: Extract<TypingResult, { ok: false }>): CommandReply {
    this.running.record({ type: 'message.rejected', messageId: message.id, reason: reason.slice(0, 300) })
    if (message.kind === 'say') return { exit, text: reason }
    const done = message.kind === 'approve' ? 'The contract is approved' : 'The contract is sent back'
    return { exit, text: `${done}. But the orchestrator could not be told: ${reason}` }
  }

  /** What the orchestrator is told. */
  private formatText(message: StoredMessage): string {
    const isAmendment = this.running.status.contract !== undefined
    switch (message.kind) {
      case 'say':
        return message.text
      case 'approve':
        return isAmendment
          ? 'The human has approved the amendment. Run `contract amend` again with exactly this contract.md, and go on.'
          : 'The human has approved the contract. Go on: run the same spawn-worker again. It seals exactly the text that was approved.'
      case 'decline':
        return isAmendment
          ? `The human has not approved the amendment:\n${message.reason}\nThe sealed contract stands. Go on by it.`
          : `The human has not approved the contract:\n${message.reason}\nMend contract.md, run \`contract check\`, then spawn-worker, which asks them again.`
      default:
        return unreachable(message)
    }
  }

  private keyboard(): Keyboard {
    const { tmux, session } = this.running
    const window = [getTmuxSessionName(session), 'orchestrator'] as const
    return {
      readInputLine: async (): Promise<InputLine | undefined> => {
        const screen = await tmux.captureStyledText(...window)
        const { closed, phase } = this.running.status
        if (screen === undefined || closed) return undefined
        if (phase === 'opening') return { kind: 'hidden', reason: 'it has not started yet' }
        if (isLimitDialog(screen)) await tmux.pressEnter(...window)
        return parseInputLine(screen)
      },
      paste: text => tmux.paste(...window, text),
      pressEnter: () => tmux.pressEnter(...window),
      getTranscriptEnd: () => {
        this.prompts = []
        return this.getTranscriptSize()
      },
      findDelivery: (text, from) => this.findDelivery(text, from),
      pause: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      now: () => Date.now(),
    }
  }

  /** Claude's transcript tells more than its hook: whether the word began a turn, or waits in the queue of one. */
  private findDelivery(text: string, from: number): { mode: DeliveryMode; isUnchanged: boolean } | undefined {
    for (const heard of this.readPromptsSince(from)) {
      const found = heard.kind === 'dequeued' ? undefined : matchDelivery(text, heard.text)
      if (found) return { mode: heard.kind === 'queued' ? 'joined the running turn' : 'began a turn', ...found }
    }
    if (this.findTranscriptFile() !== undefined) return undefined
    const found = this.prompts.map(prompt => matchDelivery(text, prompt)).find(Boolean)
    return found && { mode: isSettled(this.running.status) ? 'began a turn' : 'joined the running turn', ...found }
  }

  private readPromptsSince(from: number): ReturnType<typeof parseTranscriptPrompts> {
    const file = this.findTranscriptFile()
    if (file === undefined) return []
    const fd = fs.openSync(file, 'r')
    try {
      const fresh = Buffer.alloc(Math.max(0, fs.fstatSync(fd).size - from))
      return parseTranscriptPrompts(fresh.subarray(0, fs.readSync(fd, fresh, 0, fresh.length, from)).toString('utf8'))
    } finally {
      fs.closeSync(fd)
    }
  }

  private getTranscriptSize(): number {
    const file = this.findTranscriptFile()
    return file === undefined ? 0 : fs.statSync(file).size
  }

  private findTranscriptFile(): string | undefined {
    const { session } = this.running
    return findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
  }
}

/** Our own word at the end of a limit, among the human's. */
const LIMIT_MESSAGE_ID = 'limit'

function formatDeliveredReply(
  message: StoredMessage,
  { mode, isUnchanged }: { mode: DeliveryMode; isUnchanged: boolean },
): CommandReply {
  const when =
    mode === 'began a turn'
      ? 'it began a turn'
      : 'it waits in the running turn, which takes it up as soon as its tool has ended'
  const odd = isUnchanged ? '' : '\nClaude has changed some characters of it on the way.'
  const what = { say: 'The orchestrator has it', approve: 'Approved, and the orchestrator knows', decline: 'Sent back' }
  return { exit: 0, text: `${what[message.kind]}: ${when}.${odd}` }
}
