import type { InputLine } from '#host/claude'
import { exitCodes } from '#host/error.ts'
export type DeliveryMode = 'began a turn' | 'joined the running turn'

/** What came of typing: it was seen to arrive, or it was not typed, or nobody can say. */
export type TypingResult =
  | { ok: true; mode: DeliveryMode; isUnchanged: boolean }
  | { ok: false; exit: number; reason: string }

/** The terminal of one orchestrator, as far as typing needs it. */
export interface Keyboard {
  /** What its input line stands at; undefined when it is gone. */
  readInputLine(): Promise<InputLine | undefined>
  paste(text: string): Promise<void>
  pressEnter(): Promise<void>
  /** Where its transcript ends now. */
  getTranscriptEnd(): number
  /** Has this arrived, from there on? */
  findDelivery(text: string, from: number): { mode: DeliveryMode; isUnchanged: boolean } | undefined
  pause(milliseconds: number): Promise<void>
  now(): number
}

/** What is to be typed, how long it may wait, and whether somebody has put it into the input line before us. */
export interface TypingRequest {
  text: string
  deadlineMs: number
  pasteOffset: number | undefined
  /** Keep on disk that it is being pasted, before it is. */
  recordPaste(from: number): void
}

/**
 * Type a text into the orchestrator and see it arrive.
 *
 *   waiting for an empty input line -> marked -> pasted -> Enter (again while it still stands there) -> seen
 *        \ refused: gone, covered, taken                            \ unknown: it may have arrived
 *
 * It is pasted at most once, whoever is asked to do it, and how often.
 */
export async function typeMessage(keyboard: Keyboard, typing: TypingRequest): Promise<TypingResult> {
  if (typing.pasteOffset !== undefined) return confirmDelivery(keyboard, typing.text, typing.pasteOffset)
  const refused = await waitForEmptyInput(keyboard, typing.deadlineMs)
  if (refused) return refused
  const from = keyboard.getTranscriptEnd()
  typing.recordPaste(from)
  await keyboard.paste(typing.text)
  return confirmDelivery(keyboard, typing.text, from)
}

/** Nothing is typed into a dialog, nor behind what somebody else has begun to type. */
async function waitForEmptyInput(keyboard: Keyboard, until: number): Promise<TypingResult | undefined> {
  for (;;) {
    const prompt = await keyboard.readInputLine()
    if (prompt === undefined) return { ok: false, exit: exitCodes.conflict, reason: 'the orchestrator is gone' }
    if (prompt.kind === 'empty') return undefined
    if (keyboard.now() >= until) {
      const why = prompt.kind === 'hidden' ? prompt.reason : 'somebody has begun to type in its input line'
      return { ok: false, exit: exitCodes.deadline, reason: `${why}, and it stayed so` }
    }
    await keyboard.pause(300)
  }
}

/** Press Enter until it is seen: claude passes over one that follows a paste too closely, or after it took out odd characters. */
async function confirmDelivery(keyboard: Keyboard, text: string, from: number): Promise<TypingResult> {
  const begun = keyboard.now()
  for (let enteredAt = begun - 400; keyboard.now() < begun + CONFIRM_TIMEOUT_MS; ) {
    const heard = keyboard.findDelivery(text, from)
    if (heard) return { ok: true, ...heard }
    if (keyboard.now() - enteredAt >= 700) {
      const prompt = await keyboard.readInputLine()
      if (prompt === undefined) break
      if (prompt.kind === 'holds' && isOwnInput(prompt.text, text)) {
        await keyboard.pressEnter()
        enteredAt = keyboard.now()
      }
    }
    await keyboard.pause(150)
  }
  const reason =
    'unknown: it was put into the input line, but claude has not shown that it took it. It may have arrived'
  return { ok: false, exit: exitCodes.deadline, reason }
}

/** How long claude may take to show a word, in milliseconds. */
const CONFIRM_TIMEOUT_MS = 20_000

/** What stands before every word: claude would take a `/` or a `!` at the very beginning for a command. */
export const messageHeader = 'A word from the human:'

/** The words between their first and their last line. The last one tells them from any other, and ends an `@path` that would be completed. */
export function frameMessage(text: string, id: string): string {
  return `${messageHeader}\n${text.trim()}\n(end of word ${id.slice(-8)})`
}

/** Is what stands in the input line what we have put there? Claude shows a long paste by a line of its own. */
function isOwnInput(shown: string, text: string): boolean {
  return normalizeText(shown).includes(normalizeText(text.split('\n')[0] ?? '')) || /\[Pasted text #\d+/.test(shown)
}

/**
 * Has this prompt been ours? By its last line; and is it whole, but for what claude changes in any paste: it composes
 * letters (NFC), takes invisible characters out, makes tabs blanks, and puts tags of its own round four lines or more. Pure.
 */
export function matchDelivery(text: string, prompt: string): { isUnchanged: boolean } | undefined {
  const [said, got] = [normalizeText(text), normalizeText(prompt)]
  const closing = normalizeText(text.slice(text.lastIndexOf('\n') + 1))
  return got.includes(closing) ? { isUnchanged: got.includes(said) } : undefined
}

function normalizeText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('<\\/', '</')
    .replace(/<\/?pasted_content id="[^"]*">/g, '')
    .replace(/[\s\p{C}\p{Z}\p{M}]+/gu, '')
}
