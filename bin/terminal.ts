import { styleText } from 'node:util'
import { printable } from '../host/index.ts'
import { type Moment, stateOf, type View } from '../session/index.ts'

/** Colours only where a person looks; `NO_COLOR` and a pipe get plain text. */
export function paint(style: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** How wide the terminal is; for a pipe, as wide as anything is (nothing is cut there). */
export function columns(): number {
  return process.stdout.columns || Number.POSITIVE_INFINITY
}

/** One moment of the story: time since the start, who, what. */
export function printMoment(moment: Moment, elapsedMilliseconds: number): void {
  const style = { plain: undefined, good: 'green', bad: 'red', quiet: 'dim' }[moment.tone] as
    | 'green'
    | 'red'
    | 'dim'
    | undefined
  const indent = ' '.repeat(22)
  const fold = (text: string) => wrapped(text, Math.max(columns() - indent.length, 20))
  const [first = '', ...more] = fold(moment.what).map(line => (style ? paint(style, line) : line))
  print(`${paint('dim', clock(elapsedMilliseconds))}  ${paint('cyan', moment.who.padEnd(13))} ${first}`)
  for (const line of [...more, ...moment.details.flatMap(fold)]) print(`${indent}${line}`)
}

/** The state as a coloured word. */
export function paintState({ status, runner }: Pick<View, 'status' | 'runner'>): string {
  const state = stateOf(status, runner)
  if (state === 'PASS') return paint('green', state)
  if (['FAIL', 'failed', 'asking', 'needs you', 'stuck', 'interrupted'].includes(state) || state.includes('void'))
    return paint('red', state)
  return state === 'INCONCLUSIVE' || state === 'parked' ? paint('yellow', state) : state
}

/** `00:07`, `12:03`, `1:02:03`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return `${hours > 0 ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** `just now`, `5 min`, `3 h`, `2 d`. */
export function age(iso: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min`
  return minutes < 60 * 48 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

/** A moment as the clock on the wall says it: `06:30`, with the date when that is another day. */
export function moment(iso: string, now = new Date()): string {
  const then = new Date(iso)
  const time = then.toTimeString().slice(0, 5)
  const date = [then.getFullYear(), then.getMonth() + 1, then.getDate()].map(part => String(part).padStart(2, '0'))
  return then.toDateString() === now.toDateString() ? time : `${date.join('-')} ${time}`
}

/** `331 B`, `14 kB`, `2.1 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  return count < 1_000_000 ? `${Math.round(count / 1000)} kB` : `${(count / 1_000_000).toFixed(1)} MB`
}

/** Columns padded to their widest cell; colours do not count. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => widthOf(row[column] ?? ''))))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A table no wider than the terminal, where shortening this one of its columns helps. */
export function fitted(rows: string[][], column: number, shorten: (cell: string, width: number) => string): string {
  const over = widest(rows) - columns()
  if (over <= 0) return table(rows)
  const room = Math.max(12, Math.max(...rows.map(row => widthOf(row[column] ?? ''))) - over)
  const fit = (cell: string, at: number) => (at === column && widthOf(cell) > room ? shorten(cell, room) : cell)
  return table(rows.map(row => row.map(fit)))
}

/** How many columns a table takes. */
export function widest(rows: string[][]): number {
  return Math.max(...table(rows).split('\n').map(widthOf))
}

/** How many columns a text takes; colours do not count. */
export function widthOf(text: string): number {
  return [...text.replaceAll(colours, '')].length
}

/** Lines of at most `width`, broken between words; one long word stays whole. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

export function title(text: string): string {
  return paint('bold', printable(text))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
const colours = /\u001b\[[0-9;]*m/g
