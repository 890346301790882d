/** A file of the judged tree. Only searched, never sent. */
export interface Source {
  path: string
  text: string
}

/** What some text repeats of the sources: whole lines, and pieces of 16 characters of long words. Both are squeezed. */
export interface Leaks {
  lines: Set<string>
  pieces: Set<string>
}

/**
 * Find what `texts` repeat of the sources and what was not `told` anyway (contract, commands, listing, our own words).
 * The texts are small and the sources may be big: the texts are indexed, and each source is walked once.
 */
export function leaksIn(texts: string[], sources: Source[], told: string): Leaks {
  const leaks: Leaks = { lines: new Set(), pieces: new Set() }
  if (texts.every(text => text === '')) return leaks
  const said = new Index(texts.join('\n'))
  const open = new Index(told)
  const seen = new Set<string>()
  for (const source of sources.filter(isSearched)) for (const line of source.text.split('\n')) search(line.trim())
  return leaks

  function search(line: string): void {
    if (line.length < wordLength) return
    const squeezed = squeeze(line)
    for (const word of longWords(squeezed)) addPieces(word)
    if (line.length < lineLength) return
    const needle = heart(squeezed)
    if (said.holds(needle) && !open.holds(needle)) leaks.lines.add(needle)
  }

  function addPieces(word: string): void {
    if (seen.has(word)) return
    seen.add(word)
    for (const piece of piecesOf(word)) {
      if (said.pieces.has(piece) && !open.pieces.has(piece) && alphanumeric.test(piece)) leaks.pieces.add(piece)
    }
  }
}

/** The text with `[line withheld]` for a line that repeats a source line and `[withheld]` for a word of the sources. */
export function withhold(text: string, leaks: Leaks): { text: string; withheld: number } {
  if (leaks.lines.size === 0 && leaks.pieces.size === 0) return { text, withheld: 0 }
  const { squeezed, origin } = squeezeWithOrigin(text)
  const lineRanges = rangesOfLines(squeezed, leaks.lines).map(range => toOrigin(range, origin))
  const wordRanges = rangesOfWords(squeezed, leaks.pieces).map(range => toOrigin(range, origin))
  let withheld = 0
  let offset = 0
  const lines = text.split('\n').map(line => {
    const whole: Range = [offset, offset + line.length]
    offset += line.length + 1
    const words = wordRanges.filter(range => overlap(range, whole))
    const isLine = lineRanges.some(range => overlap(range, whole))
    withheld += isLine ? 1 : words.length
    return isLine ? '[line withheld]' : cutOut(line, words, whole[0])
  })
  return { text: lines.join('\n'), withheld }
}

// --- what counts ---

const lineLength = 20
const wordLength = 16
const largest = 1024 * 1024
const prose = /\.(md|markdown|txt|rst|adoc)$/i
const alphanumeric = /[\p{L}\p{N}]/u
const wordCharacter = /[\p{L}\p{N}_+/=-]/u
const longWord = new RegExp(`${wordCharacter.source}{${wordLength},}`, 'gu')

/** Markup, quotes, escapes and invisible characters: a word is the same word with them or without. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const dropped = /[`"'*\\~\p{Cf}\p{Mn}\u0000-\u0008\u000e-\u001f\u007f-\u009f]/gu
const isDropped = new RegExp(dropped.source, 'u')

function isSearched({ path, text }: Source): boolean {
  return text.length <= largest && !prose.test(path) && !text.includes('\0')
}

/** A text as it is compared: without markup, and with one blank where there are some. */
function squeeze(text: string): string {
  return text.replace(dropped, '').replace(/\s+/g, ' ')
}

/** A line without the comment marks and brackets round it, unless next to nothing is left then. */
function heart(line: string): string {
  let from = 0
  let to = line.length
  while (from < to && !alphanumeric.test(line.charAt(from))) from++
  while (to > from && !alphanumeric.test(line.charAt(to - 1))) to--
  if (to - from >= wordLength) return line.slice(from, to)
  return to > from ? line.trim() : ''
}

/** Words as names are: letters, digits, `_` and `-`; and `+/=` too where it looks like base64. */
function longWords(line: string): string[] {
  return (line.match(longWord) ?? []).flatMap(run => (isEncoded(run) ? [run] : run.split(/[+/=]+/)))
}

function isEncoded(run: string): boolean {
  return /[+/=]/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run)
}

function piecesOf(text: string, length = wordLength): Set<string> {
  const pieces = new Set<string>()
  for (let at = 0; at + length <= text.length; at++) pieces.add(text.slice(at, at + length))
  return pieces
}

/** A squeezed text that answers fast whether it holds another. */
class Index {
  readonly pieces: Set<string>
  private readonly short: Set<string>
  private readonly text: string

  constructor(text: string) {
    this.text = squeeze(text)
    this.pieces = piecesOf(this.text)
    this.short = piecesOf(this.text, 8)
  }

  holds(needle: string): boolean {
    const [pieces, length] = needle.length < wordLength ? [this.short, 8] : [this.pieces, wordLength]
    if (needle.length < length) return false
    return pieces.has(needle.slice(0, length)) && pieces.has(needle.slice(-length)) && this.text.includes(needle)
  }
}

// --- ranges ---

type Range = [from: number, to: number]

/** `squeeze`, with the place of every remaining character in the text. */
function squeezeWithOrigin(text: string): { squeezed: string; origin: number[] } {
  const origin: number[] = []
  const kept: string[] = []
  let at = 0
  for (const character of text) {
    const isBlank = /\s/.test(character)
    const isKept = !isDropped.test(character) && !(isBlank && kept.at(-1) === ' ')
    if (isKept) kept.push(isBlank ? ' ' : character)
    for (let unit = 0; unit < character.length; unit++, at++) if (isKept) origin.push(at)
  }
  return { squeezed: kept.join(''), origin }
}

function rangesOfLines(squeezed: string, lines: Set<string>): Range[] {
  return [...lines].flatMap(line => {
    const ranges: Range[] = []
    for (let at = squeezed.indexOf(line); at >= 0; at = squeezed.indexOf(line, at + 1))
      ranges.push([at, at + line.length])
    return ranges
  })
}

/** The whole words round every known piece, each once. */
function rangesOfWords(squeezed: string, pieces: Set<string>): Range[] {
  const ranges: Range[] = []
  for (let at = 0; at + wordLength <= squeezed.length; at++) {
    if (!pieces.has(squeezed.slice(at, at + wordLength))) continue
    let from = at
    let to = at + wordLength
    while (from > 0 && wordCharacter.test(squeezed.charAt(from - 1))) from--
    while (to < squeezed.length && wordCharacter.test(squeezed.charAt(to))) to++
    ranges.push([from, to])
    at = to
  }
  return ranges
}

function toOrigin([from, to]: Range, origin: number[]): Range {
  return [origin[from] ?? 0, (origin[to - 1] ?? 0) + 1]
}

function overlap(one: Range, other: Range): boolean {
  return one[0] < other[1] && other[0] < one[1]
}

function cutOut(line: string, words: Range[], offset: number): string {
  return words.reduceRight((rest, [from, to]) => {
    return `${rest.slice(0, Math.max(0, from - offset))}[withheld]${rest.slice(to - offset)}`
  }, line)
}
