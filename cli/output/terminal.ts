import { createRequire } from 'node:module'
import { stripVTControlCharacters, styleText } from 'node:util'
import { sanitize, toOneLine } from '#host/text.ts'
import type { EventDescription } from '#session/log'
import type { ClauseStatus, SessionView } from '#session/status'

/** Colored text on a terminal; a pipe and `NO_COLOR` get plain text. */
export function paint(style: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** The columns of the terminal; infinite for a pipe, where nothing is cut. */
export function getTerminalWidth(): number {
  return process.stdout.columns || Number.POSITIVE_INFINITY
}

/** One line of a session's story: time since the start, who, what. */
export function printStoryLine(moment: EventDescription, elapsedMs: number): void {
  const style = ({ plain: undefined, good: 'green', bad: 'red', quiet: 'dim' } as const)[moment.tone]
  const fold = (text: string) => wrap(text.split(' '), Math.max(getTerminalWidth() - STORY_INDENT_COLUMNS, 20))
  const lines = fold(moment.text).map(line => (style ? paint(style, line) : line))
  const lead = `${paint('dim', formatElapsed(elapsedMs))}  ${paint('cyan', pad(moment.actor, 13))} `
  print(hangIndent(lead, [...lines, ...moment.details.flatMap(fold)], STORY_INDENT_COLUMNS).join('\n'))
}

export function paintState({ state }: Pick<SessionView, 'state'>): string {
  if (state === 'PASS') return paint('green', state)
  if (['FAIL', 'failed', 'asking', 'needs you', 'stuck', 'interrupted'].includes(state) || state.includes('void'))
    return paint('red', state)
  return state === 'INCONCLUSIVE' || state === 'parked' ? paint('yellow', state) : state
}

export function paintVerdict(verdict: Verdict): string {
  return paint(verdict === 'PASS' ? 'green' : verdict === 'FAIL' ? 'red' : 'yellow', verdict)
}

/** `00:07`, `12:03`, `1:02:03`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000))
  const twoDigits = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return `${hours > 0 ? `${hours}:` : ''}${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`
}

/** `just now`, `5 min`, `3 h`, `2 d`. */
export function formatRelativeTime(iso: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min`
  return minutes < 60 * 48 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

/** Local time: `06:30`, or `2026-11-20 06:30` on another day. */
export function formatLocalTime(iso: string, now = new Date()): string {
  const moment = new Date(iso)
  const time = moment.toTimeString().slice(0, 5)
  const date = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()]
  const isToday = moment.toDateString() === now.toDateString()
  return isToday ? time : `${date.map(part => String(part).padStart(2, '0')).join('-')} ${time}`
}

/** `331 B`, `14 kB`, `2.1 MB`, `3.4 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`
  const megabytes = bytes / 1_000_000
  return megabytes < 1000 ? `${megabytes.toFixed(1)} MB` : `${(megabytes / 1000).toFixed(1)} GB`
}

/** Columns padded to their widest cell; colors do not count. */
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

/** A table that fits the terminal, by shortening the cells of one column to no less than four columns. */
export function fitTable(rows: string[][], column: number, shorten: (cell: string, width: number) => string): string {
  const excess = measureTableWidth(rows) - getTerminalWidth()
  if (excess <= 0) return formatTable(rows)
  const widest = Math.max(...rows.map(row => measureTextWidth(row[column] ?? '')))
  const width = Math.max(MIN_CELL_COLUMNS, widest - excess)
  const fit = (cell: string, index: number) =>
    index === column && measureTextWidth(cell) > width ? shorten(cell, width) : cell
  return formatTable(rows.map(row => row.map(fit)))
}

export function measureTableWidth(rows: string[][]): number {
  return Math.max(...formatTable(rows).split('\n').map(measureTextWidth))
}

/** The columns that a text takes on a terminal: two for CJK and emoji, none for colors. */
export function measureTextWidth(text: string): number {
  const plain = stripVTControlCharacters(text)
  return singleColumnText.test(plain) ? plain.length : loadStringWidth()(plain)
}

/** The text, with spaces up to `width` columns. */
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

/** Lines of at most `width` columns. A longer word gets a line of its own; a word with a space in it is not broken. */
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

/** Lines behind a lead: every line after the first is indented, by default as far as the first. */
export function hangIndent(lead: string, lines: string[], indent = measureTextWidth(lead)): string[] {
  const [first = '', ...more] = lines
  return [lead + first, ...more.map(line => ' '.repeat(indent) + line)]
}

export function formatTitle(text: string): string {
  return paint('bold', sanitize(text))
}

// --- internal ---

type Verdict = NonNullable<ClauseStatus['verdict']>

const STORY_INDENT_COLUMNS = 22
const MIN_CELL_COLUMNS = 4

/** ASCII, Latin, punctuation, arrows: one column each. Only other text needs the tables of `string-width`. */
const singleColumnText = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff]*$/

/** Loading it takes 25 ms, a sixth of a start, so it is loaded for the first text that needs it. */
function loadStringWidth(): (text: string) => number {
  stringWidth ??= (createRequire(import.meta.url)('string-width') as typeof import('string-width')).default
  return stringWidth
}
let stringWidth: ((text: string) => number) | undefined
