/**
 * Insert, replace or take out one value of a JSON text and leave every other byte as it is: no comment moves, nothing is
 * laid out anew. (`modify` of jsonc-parser lays out the neighbours, and a removal takes the comment behind them along.)
 * The text must read; where a key stands twice the last one counts, as it does for whoever parses it.
 */

type Path = (string | number)[]

/** The text with a value added: under `key` to the object at `path`, or, without a key, at the end of the list there. */
export function inserted(text: string, path: Path, { key, value }: { key?: string; value: unknown }): string {
  const holder = find(text, path)
  const last = holder.entries.at(-1)
  const name = key === undefined ? '' : `${JSON.stringify(key)}: `
  if (isFlat(text, holder)) {
    const piece = `${name}${JSON.stringify(value)}`
    return last ? spliced(text, last.value.end, `, ${piece}`) : spliced(text, holder.start + 1, piece)
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const unit = /^(\t|(?: )+)\S/m.exec(text)?.[1] ?? '  '
  const outer = indentAt(text, holder.start)
  const inner = last && isFirstInLine(text, last.from) ? indentAt(text, last.from) : outer + unit
  const piece = eol + inner + name + JSON.stringify(value, null, unit).replaceAll('\n', eol + inner)
  if (last) return behind(text, last.value.end, piece)
  const closes = text.slice(holder.start, holder.end).includes('\n') ? '' : eol + outer
  return spliced(text, holder.start + 1, piece + closes)
}

/** The text with another value in the place of the one at `path`. */
export function replaced(text: string, path: Path, value: unknown): string {
  const { start, end } = find(text, path)
  return text.slice(0, start) + JSON.stringify(value) + text.slice(end)
}

/** The text without the value at `path`, its key, and the comma that parted it from its neighbour. */
export function takenOut(text: string, path: Path): string {
  const holder = find(text, path.slice(0, -1))
  const index = holder.entries.findLastIndex(entry => entry.key === path.at(-1))
  const entry = holder.entries[index]
  if (!entry) return text
  const before = holder.entries[index - 1]
  const from = text.slice(0, entry.from).trimEnd().length
  const follows = commaFrom(text, entry.value.end, holder.end)
  const comma = follows ?? (before && commaFrom(text, before.value.end, from))
  const cuts = [{ from, to: entry.value.end }, ...(comma === undefined ? [] : [{ from: comma, to: comma + 1 }])]
  const shorter = cuts
    .toSorted((one, other) => other.from - one.from)
    .reduce((rest, cut) => rest.slice(0, cut.from) + rest.slice(cut.to), text)
  return holder.entries.length > 1 ? shorter : collapsed(shorter, holder.start)
}

// --- internal ---

interface Span {
  start: number
  end: number
  entries: { key: string | number; from: number; value: Span }[]
}

interface Token {
  word: string
  start: number
}

const tokens = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|[{}[\],:]|[^\s{}[\],:"/]+/g

function find(text: string, path: Path): Span {
  let span = spanOf(text)
  for (const step of path) {
    const found = span.entries.findLast(({ key }) => key === step)
    if (!found) throw new Error(`nothing stands at ${path.join('.')}`)
    span = found.value
  }
  return span
}

function spanOf(text: string): Span {
  const row = text.matchAll(tokens)
  const next = (): Token => {
    for (let found = row.next(); !found.done; found = row.next()) {
      const { 0: word, index: start } = found.value
      if (!word.startsWith('//') && !word.startsWith('/*')) return { word, start }
    }
    throw new Error('the text ends too early')
  }
  return valueFrom(next(), next)
}

function valueFrom({ word, start }: Token, next: () => Token): Span {
  const entries: Span['entries'] = []
  if (word !== '{' && word !== '[') return { start, end: start + word.length, entries }
  for (let token = next(); ; token = next()) {
    if (token.word === '}' || token.word === ']') return { start, end: token.start + 1, entries }
    if (token.word === ',') continue
    const from = token.start
    if (word === '[') entries.push({ key: entries.length, from, value: valueFrom(token, next) })
    else if (next().word === ':') entries.push({ key: JSON.parse(token.word), from, value: valueFrom(next(), next) })
  }
}

/** On one line as it stands; an empty one goes by the file, and a file that is `{}` has no layout yet. */
function isFlat(text: string, { start, end, entries }: Span): boolean {
  if (entries.length > 0) return !text.slice(start, end).includes('\n')
  const whole = text.replace(/^\ufeff/, '').trim()
  return !whole.includes('\n') && whole.length > 2
}

/** After the last value, and after the comment that stands behind it on its line. */
function behind(text: string, end: number, piece: string): string {
  const [tail = '', , comma] =
    /^((?:[ \t]|\/\*.*?\*\/)*)(,?)(?:[ \t]|\/\*.*?\*\/)*(?:\/\/[^\r\n]*)?/.exec(text.slice(end)) ?? []
  const after = end + tail.length
  if (!/^\r?\n/.test(text.slice(after, after + 2))) return spliced(text, end, `,${piece}`)
  return comma ? spliced(text, after, `${piece},`) : spliced(spliced(text, after, piece), end, ',')
}

/** Where the first comma stands that is in no comment. */
function commaFrom(text: string, from: number, to: number): number | undefined {
  const row = [...text.slice(from, to).matchAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|[,}\]]|[^\s]/g)]
  const found = row.find(([word]) => !word.startsWith('//') && !word.startsWith('/*'))
  return found?.[0] === ',' ? from + found.index : undefined
}

/** What holds nothing any more, not even a comment, is closed up. */
function collapsed(text: string, start: number): string {
  const rest = text.slice(start + 1)
  return text.slice(0, start + 1) + (/^\s*[}\]]/.test(rest) ? rest.trimStart() : rest)
}

const spliced = (text: string, at: number, piece: string) => text.slice(0, at) + piece + text.slice(at)

const indentAt = (text: string, at: number) =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))?.[0] ?? ''

const isFirstInLine = (text: string, at: number) => text.slice(text.lastIndexOf('\n', at - 1) + 1, at).trim() === ''
