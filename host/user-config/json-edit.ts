import { findComma, findNode, type JsonNode } from '../json.ts'

type Path = (string | number)[]

/** The text with a value added: under `key` to the object at `path`, or, without a key, at the end of the list there. */
export function inserted(text: string, path: Path, { key, value }: { key?: string; value: unknown }): string {
  const holder = findNode(text, path)
  const last = holder.children?.at(-1)
  const name = key === undefined ? '' : `${JSON.stringify(key)}: `
  if (isFlat(text, holder)) {
    const piece = `${name}${JSON.stringify(value)}`
    return last ? insertAt(text, endOf(last), `, ${piece}`) : insertAt(text, holder.offset + 1, piece)
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const unit = /^(\t|(?: )+)\S/m.exec(text)?.[1] ?? '  '
  const outer = indentAt(text, holder.offset)
  const inner = last && isFirstInLine(text, last.offset) ? indentAt(text, last.offset) : outer + unit
  const piece = eol + inner + name + JSON.stringify(value, null, unit).replaceAll('\n', eol + inner)
  if (last) return insertBehind(text, endOf(last), piece)
  const closes = text.slice(holder.offset, endOf(holder)).includes('\n') ? '' : eol + outer
  return insertAt(text, holder.offset + 1, piece + closes)
}

/** The text with another value in place of the one at `path`. */
export function replaced(text: string, path: Path, value: unknown): string {
  const { offset, length } = findNode(text, path)
  return text.slice(0, offset) + JSON.stringify(value) + text.slice(offset + length)
}

/** The text without the value at `path`, its key, and the comma between it and its neighbour. */
export function takenOut(text: string, path: Path): string {
  const value = findNode(text, path)
  const holder = findNode(text, path.slice(0, -1))
  const entry = value.parent?.type === 'property' ? value.parent : value
  const before = holder.children?.findLast(({ offset }) => offset < entry.offset)
  const end = endOf(entry)
  const gap = text.slice(before ? endOf(before) : holder.offset + 1, entry.offset)
  // Behind a line comment the line break must stay, or the comment would swallow what follows.
  const isCommented = /\/\/[^\n]*$/.test(gap.trimEnd()) && !/^,?[ \t]*\r?\n/.test(text.slice(end))
  const from = isCommented ? entry.offset : entry.offset - gap.length + gap.trimEnd().length
  const after = findComma(text, end)
  if (after !== undefined) return closeUp(cut(cut(text, after, after + 1), from, end), holder)
  const comma = before && findComma(text, endOf(before))
  const shorter = cut(text, from, end)
  return closeUp(comma === undefined ? shorter : cut(shorter, comma, comma + 1), holder)
}

// --- internal ---

/** Is it on one line? An empty one goes by the file, and a file that is `{}` has no layout yet. */
function isFlat(text: string, holder: JsonNode): boolean {
  if (holder.children?.length) return !text.slice(holder.offset, endOf(holder)).includes('\n')
  const whole = text.replace(/^\ufeff/, '').trim()
  return !whole.includes('\n') && whole.length > 2
}

/** After the last value, and after the comment behind it on its line. */
function insertBehind(text: string, end: number, piece: string): string {
  const [tail = '', , comma] =
    /^((?:[ \t]|\/\*.*?\*\/)*)(,?)(?:[ \t]|\/\*.*?\*\/)*(?:\/\/[^\r\n]*)?/.exec(text.slice(end)) ?? []
  const after = end + tail.length
  if (!/^\r?\n/.test(text.slice(after, after + 2))) return insertAt(text, end, `,${piece}`)
  return comma ? insertAt(text, after, `${piece},`) : insertAt(insertAt(text, after, piece), end, ',')
}

/** An object or list that now holds nothing, not even a comment, is closed up. */
function closeUp(text: string, { offset }: JsonNode): string {
  const rest = text.slice(offset + 1)
  return text.slice(0, offset + 1) + (/^\s*[}\]]/.test(rest) ? rest.trimStart() : rest)
}

const cut = (text: string, from: number, to: number) => text.slice(0, from) + text.slice(to)

const insertAt = (text: string, offset: number, piece: string) => text.slice(0, offset) + piece + text.slice(offset)

const endOf = ({ offset, length }: JsonNode) => offset + length

const indentAt = (text: string, offset: number) =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset))?.[0] ?? ''

const isFirstInLine = (text: string, offset: number) =>
  text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim() === ''
