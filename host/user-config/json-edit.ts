import { findComma, findNode, type JsonNode, type JsonPath } from '../json.ts'

/**
 * The text with a value added: under `key` to the object at `path`, or without a key at the end of the list there.
 * Every other byte stays. Pure.
 */
export function insertValue(text: string, path: JsonPath, { key, value }: { key?: string; value: unknown }): string {
  const parent = findNode(text, path)
  const last = parent.children?.at(-1)
  const name = key === undefined ? '' : `${JSON.stringify(key)}: `
  if (isFlat(text, parent)) {
    const member = `${name}${JSON.stringify(value)}`
    return last ? insertText(text, getEnd(last), `, ${member}`) : insertText(text, parent.offset + 1, member)
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const indentUnit = /^(\t|(?: )+)\S/m.exec(text)?.[1] ?? '  '
  const outerIndent = getIndent(text, parent.offset)
  const isFirstInLine = last && getLineHead(text, last.offset).trim() === ''
  const innerIndent = isFirstInLine ? getIndent(text, last.offset) : outerIndent + indentUnit
  const lineStart = eol + innerIndent
  const member = lineStart + name + JSON.stringify(value, null, indentUnit).replaceAll('\n', lineStart)
  if (last) return insertAfterValue(text, getEnd(last), member)
  const isOneLine = !text.slice(parent.offset, getEnd(parent)).includes('\n')
  return insertText(text, parent.offset + 1, member + (isOneLine ? eol + outerIndent : ''))
}

/** The text with another value in place of the one at `path`. Pure. */
export function replaceValue(text: string, path: JsonPath, value: unknown): string {
  const { offset, length } = findNode(text, path)
  return replaceText(text, offset, offset + length, JSON.stringify(value))
}

/** The text without the value at `path`, its key, and the comma between it and its neighbor. Pure. */
export function removeValue(text: string, path: JsonPath): string {
  const value = findNode(text, path)
  const parent = findNode(text, path.slice(0, -1))
  const member = value.parent?.type === 'property' ? value.parent : value
  const previous = parent.children?.findLast(({ offset }) => offset < member.offset)
  const end = getEnd(member)
  const gap = text.slice(previous ? getEnd(previous) : parent.offset + 1, member.offset)
  // The line break after a line comment must stay, or the comment would swallow what follows.
  const isCommented = /\/\/[^\n]*$/.test(gap.trimEnd()) && !/^,?[ \t]*\r?\n/.test(text.slice(end))
  const start = isCommented ? member.offset : member.offset - gap.length + gap.trimEnd().length
  const commaAfter = findComma(text, end)
  if (commaAfter !== undefined)
    return closeEmpty(replaceText(replaceText(text, commaAfter, commaAfter + 1), start, end), parent)
  const commaBefore = previous && findComma(text, getEnd(previous))
  const without = replaceText(text, start, end)
  return closeEmpty(commaBefore === undefined ? without : replaceText(without, commaBefore, commaBefore + 1), parent)
}

// --- internal ---

/** Is an object or list on one line? An empty one follows the layout of the file; `{}` alone has no layout yet. */
function isFlat(text: string, node: JsonNode): boolean {
  if (node.children?.length) return !text.slice(node.offset, getEnd(node)).includes('\n')
  const content = text.trim()
  return !content.includes('\n') && content.length > 2
}

/** Insert after a value that ends at `end`, and after the comment behind it on the same line. */
function insertAfterValue(text: string, end: number, member: string): string {
  const [tail = '', , comma] =
    /^((?:[ \t]|\/\*.*?\*\/)*)(,?)(?:[ \t]|\/\*.*?\*\/)*(?:\/\/[^\r\n]*)?/.exec(text.slice(end)) ?? []
  const lineEnd = end + tail.length
  if (!/^\r?\n/.test(text.slice(lineEnd, lineEnd + 2))) return insertText(text, end, `,${member}`)
  return comma ? insertText(text, lineEnd, `${member},`) : insertText(insertText(text, lineEnd, member), end, ',')
}

/** Remove the blanks in an object or list that has become empty. One with a comment is not empty. */
function closeEmpty(text: string, { offset }: JsonNode): string {
  const rest = text.slice(offset + 1)
  return text.slice(0, offset + 1) + (/^\s*[}\]]/.test(rest) ? rest.trimStart() : rest)
}

function replaceText(text: string, start: number, end: number, replacement = ''): string {
  return text.slice(0, start) + replacement + text.slice(end)
}

function insertText(text: string, offset: number, inserted: string): string {
  return replaceText(text, offset, offset, inserted)
}

function getEnd({ offset, length }: JsonNode): number {
  return offset + length
}

function getIndent(text: string, offset: number): string {
  return /^[ \t]*/.exec(getLineHead(text, offset))?.[0] ?? ''
}

/** What is before an offset in its line. */
function getLineHead(text: string, offset: number): string {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
}
