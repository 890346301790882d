import { printable } from '../host/index.ts'
import { paint } from './terminal.ts'

/** A change of a file as people read one, coloured where a person looks. `undefined`: there is no such file. */
export function paintDiff(file: string, before: string | undefined, after: string | undefined): string {
  const [old, fresh] = [before, after].map(readable)
  return unified(file, old, fresh)
    .map(line => {
      const style = line.startsWith('@@')
        ? 'cyan'
        : line.startsWith('+')
          ? 'green'
          : line.startsWith('-')
            ? 'red'
            : undefined
      return style ? paint(style, printable(line)) : printable(line)
    })
    .join('\n')
}

/** The lines of a unified diff, with three lines of what stands around; empty when nothing differs. Pure. */
export function unified(file: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return []
  const hunks = hunksOf(compared(linesOf(before), linesOf(after)))
  const names = [before === undefined ? '/dev/null' : file, after === undefined ? '/dev/null' : file]
  return [`--- ${names[0]}`, `+++ ${names[1]}`, ...hunks.flatMap(written)]
}

// --- internal ---

const around = 3
/** Beyond this many lines that differ, what is in the middle is shown as taken out and put in whole. */
const most = 2000

/** One line: kept (` `), taken out (`-`) or put in (`+`). */
interface Line {
  sign: ' ' | '-' | '+'
  text: string
  /** How many lines of the old and of the new text stand before it. */
  old: number
  fresh: number
}

const linesOf = (text: string | undefined) => (text ? text.replace(/\r?\n$/, '').split(/\r?\n/) : [])

/** JSON on one endless line is laid out before it is shown; what is written keeps its own layout. */
function readable(text: string | undefined): string | undefined {
  if (text === undefined || linesOf(text).every(line => line.length <= 400)) return text
  try {
    return JSON.stringify(JSON.parse(text.replace(/^\ufeff/, '')), null, 2)
  } catch {
    return text
  }
}

function compared(old: string[], fresh: string[]): Line[] {
  let head = 0
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++
  let tail = 0
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++
  const middle = changes(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail))
  const keep = (text: string): Pick<Line, 'sign' | 'text'> => ({ sign: ' ', text })
  return numbered([...old.slice(0, head).map(keep), ...middle, ...old.slice(old.length - tail).map(keep)])
}

/** The longest common run of lines stays; before it everything goes out first and comes in second. */
function changes(old: string[], fresh: string[]): Pick<Line, 'sign' | 'text'>[] {
  const out = (text: string) => ({ sign: '-' as const, text })
  const put = (text: string) => ({ sign: '+' as const, text })
  if (old.length * fresh.length > most * most) return [...old.map(out), ...fresh.map(put)]
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1))
  const best = (i: number, j: number) => common[i]?.[j] ?? 0
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      (common[i] as Uint32Array)[j] =
        old[i] === fresh[j] ? best(i + 1, j + 1) + 1 : Math.max(best(i + 1, j), best(i, j + 1))
  const lines: Pick<Line, 'sign' | 'text'>[] = []
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push({ sign: ' ', text: old[i++] ?? '' })
      j++
    } else if (i < old.length && (j >= fresh.length || best(i + 1, j) >= best(i, j + 1)))
      lines.push(out(old[i++] ?? ''))
    else lines.push(put(fresh[j++] ?? ''))
  }
  return lines
}

function numbered(lines: Pick<Line, 'sign' | 'text'>[]): Line[] {
  let [old, fresh] = [0, 0]
  return lines.map(line => ({
    ...line,
    old: line.sign === '+' ? old : old++,
    fresh: line.sign === '-' ? fresh : fresh++,
  }))
}

/** The changed lines and what stands around them; stretches that touch are one. */
function hunksOf(lines: Line[]): Line[][] {
  const shown = new Set<number>()
  for (const [index, { sign }] of lines.entries())
    if (sign !== ' ') for (let near = index - around; near <= index + around; near++) shown.add(near)
  const hunks: Line[][] = []
  for (const [index, line] of lines.entries()) {
    if (!shown.has(index)) continue
    if (!shown.has(index - 1) || hunks.length === 0) hunks.push([])
    hunks.at(-1)?.push(line)
  }
  return hunks
}

function written(hunk: Line[]): string[] {
  const range = (without: '+' | '-', at: number) => {
    const count = hunk.filter(({ sign }) => sign !== without).length
    return `${count === 0 ? at : at + 1},${count}`
  }
  const [first] = hunk
  return [
    `@@ -${range('+', first?.old ?? 0)} +${range('-', first?.fresh ?? 0)} @@`,
    ...hunk.map(({ sign, text }) => `${sign}${text}`),
  ]
}
