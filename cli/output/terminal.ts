import { createRequire } from 'node:module'
import { stripVTControlCharacters, styleText } from 'node:util'
import { sanitize, toOneLine } from '#host/text.ts'
import type { EventDescription } from '#session/log'
import { computeState, type SessionView } from '#session/status'

/** Colours only where a person looks; `NO_COLOR` and a pipe get plain text. */
export function paint(style: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** How wide the terminal is; for a pipe, as wide as anything is (nothing is cut there). */
export function getTerminalWidth(): number {
  return process.stdout.columns || Number.POSITIVE_INFINITY
}

/** One moment of the story: time since the start, who, what. */
export function printStoryLine(moment: EventDescription, elapsedMilliseconds: number): void {
  const style = { plain: undefined, good: 'green', bad: 'red', quiet: 'dim' }[moment.tone] as
    | 'green'
    | 'red'
    | 'dim'
    | undefined
  const fold = (text: string) => wrap(text.split(' '), Math.max(getTerminalWidth() - MOMENT_INDENT, 20))
  const what = fold(moment.text).map(line => (style ? paint(style, line) : line))
  const lead = `${paint('dim', formatElapsed(elapsedMilliseconds))}  ${paint('cyan', pad(moment.actor, 13))} `
  print(hang(lead, [...what, ...moment.details.flatMap(fold)], MOMENT_INDENT).join('\n'))
}

/** The state as a coloured word. */
export function paintState({ status, runnerLiveness }: Pick<SessionView, 'status' | 'runnerLiveness'>): string {
  const state = computeState(status, runnerLiveness)
  if (state === 'PASS') return paint('green', state)
  if (['FAIL', 'failed', 'asking', 'needs you', 'stuck', 'interrupted'].includes(state) || state.includes('void'))
    return paint('red', state)
  return state === 'INCONCLUSIVE' || state === 'parked' ? paint('yellow', state) : state
}

/** `00:07`, `12:03`, `1:02:03`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return `${hours > 0 ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** `just now`, `5 min`, `3 h`, `2 d`. */
export function formatRelativeTime(iso: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min`
  return minutes < 60 * 48 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

/** A moment as the clock on the wall says it: `06:30`, with the date when that is another day. */
export function formatLocalTime(iso: string, now = new Date()): string {
  const then = new Date(iso)
  const time = then.toTimeString().slice(0, 5)
  const date = [then.getFullYear(), then.getMonth() + 1, then.getDate()].map(part => String(part).padStart(2, '0'))
  return then.toDateString() === now.toDateString() ? time : `${date.join('-')} ${time}`
}

/** `331 B`, `14 kB`, `2.1 MB`. */
export function formatBytes(count: number): string {
  if (count < 1000) return `${count} B`
  return count < 1_000_000 ? `${Math.round(count / 1000)} kB` : `${(count / 1_000_000).toFixed(1)} MB`
}

/** Columns padded to their widest cell; colours do not count. */
export function formatTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => measureTextWidth(row[column] ?? ''))))
  return rows
    .map(row =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A table no wider than the terminal, where shortening this one of its columns helps. */
export function fitTable(rows: string[][], column: number, shorten: (cell: string, width: number) => string): string {
  const over = measureTableWidth(rows) - getTerminalWidth()
  if (over <= 0) return formatTable(rows)
  const room = Math.max(12, Math.max(...rows.map(row => measureTextWidth(row[column] ?? ''))) - over)
  const fit = (cell: string, at: number) =>
    at === column && measureTextWidth(cell) > room ? shorten(cell, room) : cell
  return formatTable(rows.map(row => row.map(fit)))
}

/** How many columns a table takes. */
export function measureTableWidth(rows: string[][]): number {
  return Math.max(...formatTable(rows).split('\n').map(measureTextWidth))
}

/** How many columns a text takes at a terminal: two for CJK and emoji, none for colours. */
export function measureTextWidth(text: string): number {
  const bare = stripVTControlCharacters(text)
  return ONE_COLUMN_EACH.test(bare) ? bare.length : stringWidth()(bare)
}

/** The text and as many blanks as make it `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - measureTextWidth(text)))
}

/** One printable line of at most `width` columns, cut with an ellipsis. */
export function shorten(text: string, width: number): string {
  const line = toOneLine(text, Number.POSITIVE_INFINITY)
  if (measureTextWidth(line) <= width) return line
  let cut = ''
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    if (measureTextWidth(cut + segment) >= width) break
    cut += segment
  }
  return `${cut}…`
}

/** Lines of at most `width` columns. A word that is longer gets a line of its own; one with a blank in it stays whole. */
export function wrap(words: string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && measureTextWidth(last) + 1 + measureTextWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Lines as a column beside a lead: every line after the first is indented, usually by the width of the lead. */
export function hang(lead: string, lines: string[], indent = measureTextWidth(lead)): string[] {
  const [first = '', ...more] = lines
  return [lead + first, ...more.map(line => ' '.repeat(indent) + line)]
}

export function formatTitle(text: string): string {
  return paint('bold', sanitize(text))
}

// --- internal ---

const MOMENT_INDENT = 22

/** ASCII, Latin, punctuation, arrows. A text of nothing else needs no look at the tables of Unicode. */
const ONE_COLUMN_EACH = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff]*$/

/** Loading it takes 25 ms, a sixth of a start, so it is loaded for the first text that needs it. */
function stringWidth(): (text: string) => number {
  loaded ??= (createRequire(import.meta.url)('string-width') as typeof import('string-width')).default
  return loaded
}
let loaded: ((text: string) => number) | undefined
