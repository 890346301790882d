import { exits, type Prompt } from '../host/index.ts'

export type How = 'began a turn' | 'joined the running turn'

/** What came of typing: it was seen to arrive, or it was not typed, or nobody can say. */
export type Typed = { ok: true; how: How; whole: boolean } | { ok: false; exit: number; why: string }

/** The terminal of one orchestrator, as far as typing needs it. */
export interface Keyboard {
  /** What its input line stands at; undefined when it is gone. */
  look(): Promise<Prompt | undefined>
  paste(text: string): Promise<void>
  pressEnter(): Promise<void>
  /** Where its transcript ends now. */
  end(): number
  /** Has this arrived, from there on? */
  heard(text: string, from: number): { how: How; whole: boolean } | undefined
  pause(milliseconds: number): Promise<void>
  now(): number
}

/** What is to be typed, how long it may wait, and whether somebody has put it into the input line before us. */
export interface Typing {
  text: string
  until: number
  pastedAt: number | undefined
  /** Keep on disk that it is being pasted, before it is. */
  mark(from: number): void
}

/**
 * Type a text into the orchestrator and see it arrive.
 *
 *   waiting for an empty input line -> marked -> pasted -> Enter (again while it still stands there) -> seen
 *        \ refused: gone, covered, taken                            \ unknown: it may have arrived
 *
 * It is pasted at most once, whoever is asked to do it, and how often.
 */
export async function typeIn(keyboard: Keyboard, typing: Typing): Promise<Typed> {
  if (typing.pastedAt !== undefined) return seeItArrive(keyboard, typing.text, typing.pastedAt)
  const refused = await waitForLine(keyboard, typing.until)
  if (refused) return refused
  const from = keyboard.end()
  typing.mark(from)
  await keyboard.paste(typing.text)
  return seeItArrive(keyboard, typing.text, from)
}

/** Nothing is typed into a dialog, nor behind what somebody else has begun to type. */
async function waitForLine(keyboard: Keyboard, until: number): Promise<Typed | undefined> {
  for (;;) {
    const prompt = await keyboard.look()
    if (prompt === undefined) return { ok: false, exit: exits.conflict, why: 'the orchestrator is gone' }
    if (prompt.is === 'empty') return undefined
    if (keyboard.now() >= until) {
      const why = prompt.is === 'hidden' ? prompt.why : 'somebody has begun to type in its input line'
      return { ok: false, exit: exits.deadline, why: `${why}, and it stayed so` }
    }
    await keyboard.pause(300)
  }
}

/** Press Enter until it is seen: claude passes over one that follows a paste too closely, or after it took out odd characters. */
async function seeItArrive(keyboard: Keyboard, text: string, from: number): Promise<Typed> {
  const begun = keyboard.now()
  for (let enteredAt = begun - 400; keyboard.now() < begun + patience; ) {
    const heard = keyboard.heard(text, from)
    if (heard) return { ok: true, ...heard }
    if (keyboard.now() - enteredAt >= 700) {
      const prompt = await keyboard.look()
      if (prompt === undefined) break
      if (prompt.is === 'holds' && isOurs(prompt.text, text)) {
        await keyboard.pressEnter()
        enteredAt = keyboard.now()
      }
    }
    await keyboard.pause(150)
  }
  const why = 'unknown: it was put into the input line, but claude has not shown that it took it. It may have arrived'
  return { ok: false, exit: exits.deadline, why }
}

/** How long claude may take to show a word, in milliseconds. */
const patience = 20_000

/** What stands before every word: claude would take a `/` or a `!` at the very beginning for a command. */
export const opener = 'A word from the human:'

/** The words between their first and their last line. The last one tells them from any other, and ends an `@path` that would be completed. */
export function framed(text: string, id: string): string {
  return `${opener}\n${text.trim()}\n(end of word ${id.slice(-8)})`
}

/** Is what stands in the input line what we have put there? Claude shows a long paste by a line of its own. */
function isOurs(shown: string, text: string): boolean {
  return letters(shown).includes(letters(text.split('\n')[0] ?? '')) || /\[Pasted text #\d+/.test(shown)
}

/**
 * Has this prompt been ours? By its last line; and is it whole, but for what claude changes in any paste: it composes
 * letters (NFC), takes invisible characters out, makes tabs blanks, and puts tags of its own round four lines or more. Pure.
 */
export function arrived(text: string, prompt: string): { whole: boolean } | undefined {
  const [said, got] = [letters(text), letters(prompt)]
  const closing = letters(text.slice(text.lastIndexOf('\n') + 1))
  return got.includes(closing) ? { whole: got.includes(said) } : undefined
}

function letters(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('<\\/', '</')
    .replace(/<\/?pasted_content id="[^"]*">/g, '')
    .replace(/[\s\p{C}\p{Z}\p{M}]+/gu, '')
}
