import { z } from 'zod'

/** Lines that dispatch adds to a text file of the user, between the comments `<!-- name -->` and `<!-- /name -->`. */
export const TextBlock = z.object({ name: z.string(), lines: z.array(z.string()) })
export type TextBlock = z.infer<typeof TextBlock>

/**
 * The text with the block at its end; everything else stays byte for byte. A block of the same name is replaced where
 * it is. Nothing changes when the text has every line of the block already. Pure.
 */
export function insertBlock(text: string, { name, lines }: TextBlock): string {
  const present = new Set(text.split(/\r?\n/))
  if (lines.every(line => present.has(line))) return text
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const block = [openTag(name), ...lines, closeTag(name)].join(eol)
  const range = findBlock(text, name)
  if (range) return text.slice(0, range.start) + block + text.slice(range.end)
  return text + (text === '' ? '' : eol) + block + eol
}

/** The text without the block and the two line breaks that came with it. Lines of others inside it stay. Pure. */
export function removeBlock(text: string, block: TextBlock): string {
  const range = findBlock(text, block.name)
  if (range === undefined) return text
  const added = [openTag(block.name), ...block.lines, closeTag(block.name)]
  const others = text
    .slice(range.start, range.end)
    .split(/(?<=\n)/)
    .filter(line => !added.includes(line.replace(/\r?\n$/, '')))
    .join('')
  const [before, after] = [text.slice(0, range.start), text.slice(range.end)]
  if (others !== '') return before + others + after.replace(/^\r?\n/, '')
  const [head, tail] = [before.replace(/\r?\n$/, ''), after.replace(/^\r?\n/, '')]
  const isJoined = head !== '' && tail !== '' && !head.endsWith('\n')
  return removeBlock((isJoined ? before : head) + tail, block) // A second one is there when a person has copied it.
}

// --- internal ---

const openTag = (name: string) => `<!-- ${name} -->`
const closeTag = (name: string) => `<!-- /${name} -->`

/** From the first character of the opening comment to behind the last one of the closing comment. */
function findBlock(text: string, name: string): { start: number; end: number } | undefined {
  const start = findLine(text, openTag(name), 0)
  const close = start === undefined ? undefined : findLine(text, closeTag(name), start)
  return start === undefined || close === undefined ? undefined : { start, end: close + closeTag(name).length }
}

/** The offset of the first line that is exactly this one. */
function findLine(text: string, line: string, from: number): number | undefined {
  for (let offset = text.indexOf(line, from); offset >= 0; offset = text.indexOf(line, offset + 1)) {
    const isStart = offset === 0 || text[offset - 1] === '\n' || text[offset - 1] === '\ufeff'
    if (isStart && /^(\r?\n|$)/.test(text.slice(offset + line.length, offset + line.length + 2))) return offset
  }
  return undefined
}
