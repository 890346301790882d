import type { InputLine } from '#host/claude'
import { exitCodes } from '#host/error.ts'

/** How a message arrived, and whether claude has left it as it was. */
export interface Delivery {
  mode: 'began a turn' | 'joined the running turn'
  isUnchanged: boolean
}

/** `ok`: the message was seen to arrive. Otherwise it was not typed, or it is unknown whether it arrived. */
type TypingResult = ({ ok: true } & Delivery) | { ok: false; exitCode: number; reason: string }

/** What typing needs of the orchestrator's terminal and transcript. */
export interface Keyboard {
  /** The state of the input line; undefined if the terminal is gone. */
  readInputLine(): Promise<InputLine | undefined>
  paste(text: string): Promise<void>
  pressEnter(): Promise<void>
  /** The size of the transcript in bytes. */
  getTranscriptEnd(): number
  /** Whether the text arrived, according to the transcript from `offset` on. */
  findDelivery(text: string, offset: number): Delivery | undefined
  pause(milliseconds: number): Promise<void>
  now(): number
}

interface TypingRequest {
  text: string
  /** How long to wait for an empty input line. */
  deadlineMs: number
  /** Set if an earlier runner has pasted the text: the size of the transcript at that moment. */
  pasteOffset: number | undefined
  /** Record on disk that the text is about to be pasted. */
  recordPaste(transcriptOffset: number): void
}

const INPUT_POLL_MS = 300
const DELIVERY_POLL_MS = 150
/** Claude ignores an Enter that follows a paste too closely. */
const ENTER_DELAY_MS = 400
const ENTER_INTERVAL_MS = 700
/** How long claude may take to show that a message arrived. */
const CONFIRM_TIMEOUT_MS = 20_000

/**
 * Type a text into the orchestrator and see it arrive.
 *
 *   wait for an empty input line -> record the paste -> paste -> Enter (again while the text is still there) -> seen
 *        \ refused: gone, hidden, in use                            \ unknown: it may have arrived
 *
 * The text is pasted at most once, however often and by however many runners this is called.
 */
export async function typeMessage(keyboard: Keyboard, request: TypingRequest): Promise<TypingResult> {
  if (request.pasteOffset !== undefined) return confirmDelivery(keyboard, request.text, request.pasteOffset)
  const refused = await waitForEmptyInput(keyboard, request.deadlineMs)
  if (refused) return refused
  const offset = keyboard.getTranscriptEnd()
  request.recordPaste(offset)
  await keyboard.paste(request.text)
  return confirmDelivery(keyboard, request.text, offset)
}

/** Nothing is typed into a dialog or after text that a person has begun to type. */
async function waitForEmptyInput(keyboard: Keyboard, deadlineMs: number): Promise<TypingResult | undefined> {
  for (;;) {
    const inputLine = await keyboard.readInputLine()
    if (inputLine === undefined) return { ok: false, exitCode: exitCodes.conflict, reason: 'the orchestrator is gone' }
    if (inputLine.kind === 'empty') return undefined
    if (keyboard.now() >= deadlineMs) {
      const reason = inputLine.kind === 'hidden' ? inputLine.reason : 'its input line contains text that was not sent'
      return { ok: false, exitCode: exitCodes.deadline, reason: `timed out: ${reason}` }
    }
    await keyboard.pause(INPUT_POLL_MS)
  }
}

/** Press Enter until the text is seen: claude ignores an Enter too close after a paste, or after it removed odd characters. */
async function confirmDelivery(keyboard: Keyboard, text: string, offset: number): Promise<TypingResult> {
  const startedAtMs = keyboard.now()
  let enteredAtMs = startedAtMs - ENTER_DELAY_MS
  while (keyboard.now() < startedAtMs + CONFIRM_TIMEOUT_MS) {
    const delivery = keyboard.findDelivery(text, offset)
    if (delivery) return { ok: true, ...delivery }
    if (keyboard.now() - enteredAtMs >= ENTER_INTERVAL_MS) {
      const inputLine = await keyboard.readInputLine()
      if (inputLine === undefined) break
      if (inputLine.kind === 'holds' && isOwnInput(inputLine.text, text)) {
        await keyboard.pressEnter()
        enteredAtMs = keyboard.now()
      }
    }
    await keyboard.pause(DELIVERY_POLL_MS)
  }
  const reason = 'unknown: it was pasted into the input line, but claude has not confirmed it. It may have arrived'
  return { ok: false, exitCode: exitCodes.deadline, reason }
}

/** The first line of a message that holds a verdict. Such a prompt comes from dispatch, so it is no answer of a human. */
export const verdictHeading = 'The verdict of dispatch has arrived:'

/**
 * Put a message between a first and a last line. A `/` or `!` at the very beginning would be a command to claude. The last line
 * identifies the message, and ends an `@path` that claude would complete.
 */
export function frameMessage(text: string, id: string, heading = 'A message from the human:'): string {
  return `${heading}\n${text.trim()}\n(end of message ${id.slice(-8)})`
}

/** True if the input line contains this text. Claude shows a long paste as one line of its own. */
function isOwnInput(shown: string, text: string): boolean {
  return normalizeText(shown).includes(normalizeText(text.split('\n')[0] ?? '')) || /\[Pasted text #\d+/.test(shown)
}

/**
 * Recognize a framed message in a prompt by its last line, and say whether the rest is unchanged too. What claude does to every
 * paste does not count: it composes letters (NFC), removes invisible characters, replaces tabs by spaces, and puts tags around
 * four lines or more. Pure.
 */
export function matchDelivery(text: string, prompt: string): { isUnchanged: boolean } | undefined {
  const normalized = normalizeText(prompt)
  const lastLine = normalizeText(text.slice(text.lastIndexOf('\n') + 1))
  return normalized.includes(lastLine) ? { isUnchanged: normalized.includes(normalizeText(text)) } : undefined
}

function normalizeText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('<\\/', '</')
    .replace(/<\/?pasted_content id="[^"]*">/g, '')
    .replace(/[\s\p{C}\p{Z}\p{M}]+/gu, '')
}
