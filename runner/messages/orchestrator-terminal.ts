import fs from 'node:fs'
import { findTranscript, type InputLine, parseInputLine, parseTranscriptPrompts } from '#host/claude'
import { findClaudeFolder } from '#session'
import { isSettled } from '#session/status'
import type { RunnerContext } from '../context.ts'
import type { HookEvent } from '../orchestrator/hook-inbox.ts'
import { getTmuxSessionName } from '../terminal.ts'
import { isLimitDialog } from '../usage-limit/usage-limit.ts'
import { readPasteOffset, recordPaste } from './store.ts'
import { type Delivery, type Keyboard, matchDelivery, typeMessage } from './type-into-terminal.ts'

const KEPT_PROMPT_COUNT = 20

/** The terminal of the orchestrator with its transcript: types a text, and sees that it arrives. */
export class OrchestratorTerminal {
  private readonly context: RunnerContext
  /** The prompts that claude's hook reported, newest last. */
  private prompts: string[] = []

  constructor(context: RunnerContext) {
    this.context = context
  }

  /** Note a prompt that claude's hook reports, which it also does for a queued one. */
  recordPrompt({ hook_event_name, session_id, prompt }: HookEvent): void {
    if (hook_event_name === 'UserPromptSubmit' && session_id === this.context.session.manifest.claude.sessionId)
      this.prompts = [...this.prompts, prompt ?? ''].slice(-KEPT_PROMPT_COUNT)
  }

  /** Type a text. It is pasted at most once for each id, also by a runner that comes after this one. */
  type(text: string, id: string, deadline: string | number): ReturnType<typeof typeMessage> {
    const { paths } = this.context.session
    return typeMessage(this.createKeyboard(), {
      text,
      deadlineMs: new Date(deadline).getTime(),
      pasteOffset: readPasteOffset(paths, id),
      recordPaste: offset => recordPaste(paths, id, offset),
    })
  }

  /** Has claude taken what waited in its queue, since its transcript had this size? */
  hasReadQueue(offset: number): boolean {
    return this.readPromptsSince(offset).some(({ kind }) => kind === 'dequeued')
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
