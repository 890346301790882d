import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { type Prompt, promptsIn, readPrompt, transcriptOf, unreachable } from '../host/index.ts'
import { claudeFolderOf, readLog, settled } from '../session/index.ts'
import { decide } from './approval.ts'
import { answerWord, type LeftWord, markPasted, pastedAt, unanswered, unmark } from './human.ts'
import { goOn, offersToWait } from './limit.ts'
import { Reminder } from './parking.ts'
import type { Reply, Running } from './running.ts'
import type { Told } from './spool.ts'
import { tmuxSession } from './start.ts'
import { arrived, framed, type How, type Keyboard, type Typed, typeIn } from './typing.ts'

/** Carries the human's words into the orchestrator, in the order in which they were left, each once; and ours after a limit. */
export class Voice {
  private readonly running: Running
  private readonly stumble: (error: unknown) => void
  private busy: Promise<void> | undefined
  /** Prompts that claude's own hook has told of, the newest last. */
  private told: string[] = []
  private readonly reminder = new Reminder()
  /** A word that waits in claude's queue for the running tool to end, and from where on its transcript tells of it. */
  private queued: number | undefined

  constructor(running: Running, stumble: (error: unknown) => void) {
    this.running = running
    this.stumble = stumble
  }

  /** Take up the next word, unless one is on its way. */
  look(): void {
    if (this.busy) return
    const { paths } = this.running.session
    const [word] = unanswered(paths)
    if (word) this.hold(this.carry(word).then(reply => answerWord(paths, word.id, reply)))
    else if (this.reminder.isDue(this.running)) this.hold(this.remind())
  }

  private hold(errand: Promise<void>): void {
    this.busy = errand.catch(this.stumble).finally(() => {
      this.busy = undefined
    })
  }

  /** Claude's hook tells of each prompt, also of one that is only queued. */
  hear({ hook_event_name, session_id, prompt }: Told): void {
    if (hook_event_name === 'UserPromptSubmit' && session_id === this.running.session.opening.claude.session)
      this.told = [...this.told, prompt ?? ''].slice(-20)
  }

  /** Does a word wait for the running tool to end? Then a tool that only waits should end. */
  waits(): boolean {
    if (this.queued === undefined) return false
    if (this.since(this.queued).some(heard => heard.is === 'taken')) this.queued = undefined
    return this.queued !== undefined
  }

  private async carry(word: LeftWord): Promise<Reply> {
    const { paths } = this.running.session
    const refused = await decide(this.running, word)
    if (refused) return refused
    const said = readLog(paths.events).events.find(event => event.is === 'human.said' && event.word === word.id)
    if (said?.is === 'human.said') return delivered(word, { how: said.how, whole: true }) // By a runner that died before it could answer.
    const text = framed(this.textOf(word), word.id)
    const typed = await typeIn(this.keyboard(), {
      text,
      until: Date.parse(word.until),
      pastedAt: pastedAt(paths, word.id),
      mark: from => markPasted(paths, word.id, from),
    })
    return typed.ok ? this.arrived(word, typed) : this.failed(word, typed)
  }

  /** A usage limit is over, as far as we know. What comes of it, the hooks tell. */
  private async remind(): Promise<void> {
    const { paths } = this.running.session
    this.reminder.asked()
    await typeIn(this.keyboard(), {
      text: goOn,
      until: Date.now() + 30_000,
      pastedAt: pastedAt(paths, reminded),
      mark: from => markPasted(paths, reminded, from),
    })
    unmark(paths, reminded)
  }

  private arrived(word: LeftWord, typed: Extract<Typed, { ok: true }>): Reply {
    const { running } = this
    if (typed.how === 'joined the running turn') this.queued = pastedAt(running.session.paths, word.id)
    running.record({
      is: 'human.said',
      word: word.id,
      bytes: Buffer.byteLength(this.textOf(word)),
      sha256: createHash('sha256').update(this.textOf(word)).digest('hex'),
      how: typed.how,
    })
    return delivered(word, typed)
  }

  private failed(word: LeftWord, { exit, why }: Extract<Typed, { ok: false }>): Reply {
    this.running.record({ is: 'human.refused', word: word.id, why: why.slice(0, 300) })
    if (word.is === 'say') return { exit, text: why }
    const done = word.is === 'approve' ? 'The contract is approved' : 'The contract is sent back'
    return { exit, text: `${done}. But the orchestrator could not be told: ${why}` }
  }

  /** What the orchestrator is told. */
  private textOf(word: LeftWord): string {
    const isAmendment = this.running.status.contract !== undefined
    switch (word.is) {
      case 'say':
        return word.text
      case 'approve':
        return isAmendment
          ? 'The human has approved the amendment. Run `contract amend` again with exactly this contract.md, and go on.'
          : 'The human has approved the contract. Go on: run the same spawn-worker again. It seals exactly the text that was approved.'
      case 'decline':
        return isAmendment
          ? `The human has not approved the amendment:\n${word.why}\nThe sealed contract stands. Go on by it.`
          : `The human has not approved the contract:\n${word.why}\nMend contract.md, run \`contract check\`, then spawn-worker, which asks them again.`
      default:
        return unreachable(word)
    }
  }

  private keyboard(): Keyboard {
    const { tmux, session } = this.running
    const window = [tmuxSession(session), 'orchestrator'] as const
    return {
      look: async (): Promise<Prompt | undefined> => {
        const screen = await tmux.styledScreen(...window)
        const { closed, phase } = this.running.status
        if (screen === undefined || closed) return undefined
        if (phase === 'opening') return { is: 'hidden', why: 'it has not started yet' }
        if (offersToWait(screen)) await tmux.pressEnter(...window)
        return readPrompt(screen)
      },
      paste: text => tmux.paste(...window, text),
      pressEnter: () => tmux.pressEnter(...window),
      end: () => {
        this.told = []
        return this.size()
      },
      heard: (text, from) => this.heard(text, from),
      pause: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      now: () => Date.now(),
    }
  }

  /** Claude's transcript tells more than its hook: whether the word began a turn, or waits in the queue of one. */
  private heard(text: string, from: number): { how: How; whole: boolean } | undefined {
    for (const heard of this.since(from)) {
      const found = heard.is === 'taken' ? undefined : arrived(text, heard.text)
      if (found) return { how: heard.is === 'queued' ? 'joined the running turn' : 'began a turn', ...found }
    }
    if (this.transcript() !== undefined) return undefined
    const found = this.told.map(prompt => arrived(text, prompt)).find(Boolean)
    return found && { how: settled(this.running.status) ? 'began a turn' : 'joined the running turn', ...found }
  }

  private since(from: number): ReturnType<typeof promptsIn> {
    const file = this.transcript()
    if (file === undefined) return []
    const fd = fs.openSync(file, 'r')
    try {
      const fresh = Buffer.alloc(Math.max(0, fs.fstatSync(fd).size - from))
      return promptsIn(fresh.subarray(0, fs.readSync(fd, fresh, 0, fresh.length, from)).toString('utf8'))
    } finally {
      fs.closeSync(fd)
    }
  }

  private size(): number {
    const file = this.transcript()
    return file === undefined ? 0 : fs.statSync(file).size
  }

  private transcript(): string | undefined {
    const { session } = this.running
    return transcriptOf(claudeFolderOf(session), session.opening.claude.session)
  }
}

/** Our own word at the end of a limit, among the human's. */
const reminded = 'limit'

function delivered(word: LeftWord, { how, whole }: { how: How; whole: boolean }): Reply {
  const when =
    how === 'began a turn'
      ? 'it began a turn'
      : 'it waits in the running turn, which takes it up as soon as its tool has ended'
  const odd = whole ? '' : '\nClaude has changed some characters of it on the way.'
  const what = { say: 'The orchestrator has it', approve: 'Approved, and the orchestrator knows', decline: 'Sent back' }
  return { exit: 0, text: `${what[word.is]}: ${when}.${odd}` }
}
