/** A file of the judged tree. Only searched, never sent. */
export interface SourceFile {
  path: string
  text: string
}

/** What some text repeats of the sources. All of it is squeezed. */
export interface Leaks {
  /** Whole lines. */
  lines: Set<string>
  /** Pieces of 16 characters of long words. */
  fragments: Set<string>
  /** Shorter words, whole: quoted ones, and those that look made up. */
  words: Set<string>
  /** The lines that a text has in common with one source, where some follow each other. */
  runs: Set<string>[]
}

/**
 * Find what `texts` repeat of the sources and what was not `told` anyway (contract, commands, listing, our own words).
 * The texts are small and the sources may be big: the texts are indexed, and each source is walked once.
 */
export function findLeaks(texts: string[], sources: Iterable<SourceFile>, disclosed: string): Leaks {
  const leaks: Leaks = { lines: new Set(), fragments: new Set(), words: new Set(), runs: [] }
  if (texts.every(text => text === '')) return leaks
  const said = new FragmentIndex(texts.join('\n'))
  const open = new FragmentIndex(`${disclosed}\n${ubiquitousPhrases}`)
  const openLines = new Set(normalizeLines(disclosed))
  const lined = texts.map(normalizeLines)
  const saidLines = new Set(lined.flat().filter(line => line !== '' && !openLines.has(line)))
  const seen = new Set<string>()
  for (const source of sources) if (isSearched(source)) searchRuns(source.text.split('\n').map(search))
  return leaks

  /** Looks for the line and its words, and returns it squeezed. */
  function search(line: string): string {
    const squeezed = normalizeForSearch(line).trim()
    for (const word of extractQuotedWords(line)) addWord(word)
    for (const word of extractWords(squeezed)) {
      if (word.length >= MIN_WORD_CHARS) addPieces(word)
      else if (isRandomLooking(word)) addWord(word)
    }
    if (line.trim().length < MIN_LINE_CHARS) return squeezed
    const needle = trimCommentMarks(squeezed)
    if (said.contains(needle) && !open.contains(needle)) leaks.lines.add(needle)
    return squeezed
  }

  function searchRuns(lines: string[]): void {
    const shared = new Set(lines.filter(line => saidLines.has(line)))
    if (![...shared].some(isDistinctive)) return
    if (lined.some(own => findRunLines(own, shared).size > 0)) leaks.runs.push(shared)
  }

  function addWord(word: string): void {
    if (said.contains(word) && !open.contains(word)) leaks.words.add(word)
  }

  function addPieces(word: string): void {
    if (seen.has(word)) return
    seen.add(word)
    for (const piece of buildFragments(word)) {
      if (said.fragments.has(piece) && !open.fragments.has(piece) && alphanumeric.test(piece))
        leaks.fragments.add(piece)
    }
  }
}

/** The text with `[line withheld]` for a line that repeats a source line and `[withheld]` for a word of the sources. */
export function redactLeaks(text: string, leaks: Leaks): { text: string; withheld: number } {
  if (leaks.lines.size + leaks.fragments.size + leaks.words.size + leaks.runs.length === 0) return { text, withheld: 0 }
  const { squeezed, origin } = normalizeWithOffsets(text)
  const lineRanges = findRanges(squeezed, leaks.lines).map(range => mapToOriginal(range, origin))
  const wordRanges = findWordRanges(squeezed, leaks).map(range => mapToOriginal(range, origin))
  const ownLines = leaks.runs.length > 0 ? normalizeLines(text) : []
  const inRuns = new Set(leaks.runs.flatMap(shared => [...findRunLines(ownLines, shared)]))
  let withheld = 0
  let offset = 0
  const lines = text.split('\n').map((line, at) => {
    const whole: Range = [offset, offset + line.length]
    offset += line.length + 1
    const words = wordRanges.filter(range => isOverlapping(range, whole))
    const isLine = inRuns.has(at) || lineRanges.some(range => isOverlapping(range, whole))
    withheld += isLine ? 1 : words.length
    return isLine ? withheldLine : redactRanges(line, words, whole[0])
  })
  return { text: lines.join('\n'), withheld }
}

/** What stands in the place of a line that repeats one of the source. */
export const withheldLine = '[line withheld]'

// --- what counts ---

const MIN_LINE_CHARS = 20
const MIN_WORD_CHARS = 16
const MIN_RANDOM_WORD_CHARS = 12
const MIN_QUOTED_CHARS = 8
const MIN_RUN_LINES = 3
const prosePathPattern = /\.(md|markdown|rst|adoc)$/i
const alphanumeric = /[\p{L}\p{N}]/u
const wordCharacter = /[\p{L}\p{N}_+/=-]/u
const wordRun = new RegExp(`${wordCharacter.source}{${MIN_RANDOM_WORD_CHARS},}`, 'gu')

/** Looks ahead, as a quote that ends one word may begin the next; the colon tells a key. */
const quotedWord = new RegExp(`(["'\`])(?=((?:(?!\\1)\\S){${MIN_QUOTED_CHARS},})\\1(:?))`, 'g')

/** What we put in the place of something, and what so many programs quote that it tells nothing. */
const ubiquitousPhrases =
  '[withheld] [line withheld] [code withheld: ] [diff withheld: ] application/json text/plain text/html function undefined __main__ localhost 127.0.0.1'

/** Markup, quotes, escapes and invisible characters: a word is the same word with them or without. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const ignoredCharacters = /[`"'*\\~\p{Cf}\p{Mn}\u0000-\u0008\u000e-\u001f\u007f-\u009f]/gu
const ignoredCharacter = new RegExp(ignoredCharacters.source, 'u')

function isSearched({ path, text }: SourceFile): boolean {
  return !prosePathPattern.test(path) && !text.includes('\0')
}

/** A text as it is compared: without markup, and with one blank where there are some. */
function normalizeForSearch(text: string): string {
  return text.replace(ignoredCharacters, '').replace(/\s+/g, ' ')
}

function normalizeLines(text: string): string[] {
  return text.split('\n').map(line => normalizeForSearch(line).trim())
}

/** A line without the comment marks and brackets round it, unless next to nothing is left then. */
function trimCommentMarks(line: string, least = MIN_WORD_CHARS): string {
  let from = 0
  let to = line.length
  while (from < to && !alphanumeric.test(line.charAt(from))) from++
  while (to > from && !alphanumeric.test(line.charAt(to - 1))) to--
  if (to - from >= least) return line.slice(from, to)
  return to > from ? line.trim() : ''
}

/** Words as names are: letters, digits, `_` and `-`; and `+/=` too where it looks like base64. */
function extractWords(line: string): string[] {
  return (line.match(wordRun) ?? []).flatMap(run => (isEncoded(run) ? [run] : run.split(/[+/=]+/)))
}

function isEncoded(run: string): boolean {
  return /[+/=]/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run)
}

/** A shorter word that is none of a language: letters with digits among them. */
function isRandomLooking(word: string): boolean {
  return word.length >= MIN_RANDOM_WORD_CHARS && /\p{L}/u.test(word) && /\p{N}/u.test(word)
}

/** What stands between quotes without a blank. A key of letters alone is a name like `dependencies`, and is left out. */
function extractQuotedWords(line: string): string[] {
  return [...line.matchAll(quotedWord)].flatMap(({ index, 2: word = '', 3: colon }) => {
    if (colon && /^\p{L}+$/u.test(word) && /(^|[{,])\s*$/.test(line.slice(Math.max(0, index - 40), index))) return []
    return word.split(/\\[nrt]/).map(part => trimCommentMarks(normalizeForSearch(part), MIN_QUOTED_CHARS))
  })
}

/** The numbers of those lines (squeezed) that stand in `shared`, three or more in a row, blank ones aside. */
function findRunLines(lines: string[], shared: Set<string>): Set<number> {
  const found = new Set<number>()
  let run: [at: number, line: string][] = []
  const end = () => {
    if (run.length >= MIN_RUN_LINES && run.some(([, line]) => isDistinctive(line)))
      for (const [at] of run) found.add(at)
    run = []
  }
  for (const [at, line] of lines.entries()) {
    if (shared.has(line)) run.push([at, line])
    else if (line !== '') end()
  }
  end()
  return found
}

/** Not a lone brace, a number or a name: such lines are the same in many places. */
function isDistinctive(line: string): boolean {
  return /\p{L}/u.test(line) && /[^\p{L}\p{N}]/u.test(line)
}

function buildFragments(text: string, length = MIN_WORD_CHARS): Set<string> {
  const pieces = new Set<string>()
  for (let at = 0; at + length <= text.length; at++) pieces.add(text.slice(at, at + length))
  return pieces
}

/** A squeezed text that answers fast whether it holds another. */
class FragmentIndex {
  readonly fragments: Set<string>
  private readonly short: Set<string>
  private readonly text: string

  constructor(text: string) {
    this.text = normalizeForSearch(text)
    this.fragments = buildFragments(this.text)
    this.short = buildFragments(this.text, 8)
  }

  contains(needle: string): boolean {
    const [pieces, length] = needle.length < MIN_WORD_CHARS ? [this.short, 8] : [this.fragments, MIN_WORD_CHARS]
    if (needle.length < length) return false
    return pieces.has(needle.slice(0, length)) && pieces.has(needle.slice(-length)) && this.text.includes(needle)
  }
}

// --- ranges ---

type Range = [from: number, to: number]

/** `squeeze`, with the place of every remaining character in the text. */
function normalizeWithOffsets(text: string): { squeezed: string; origin: number[] } {
  const origin: number[] = []
  const kept: string[] = []
  let at = 0
  for (const character of text) {
    const isBlank = /\s/.test(character)
    const isKept = !ignoredCharacter.test(character) && !(isBlank && kept.at(-1) === ' ')
    if (isKept) kept.push(isBlank ? ' ' : character)
    for (let unit = 0; unit < character.length; unit++, at++) if (isKept) origin.push(at)
  }
  return { squeezed: kept.join(''), origin }
}

function findRanges(squeezed: string, needles: Set<string>): Range[] {
  return [...needles].flatMap(needle => {
    const ranges: Range[] = []
    for (let at = squeezed.indexOf(needle); at >= 0; at = squeezed.indexOf(needle, at + 1))
      ranges.push([at, at + needle.length])
    return ranges
  })
}

/** The whole words round every known piece and word, each once and in order. */
function findWordRanges(squeezed: string, { fragments, words }: Leaks): Range[] {
  const known = findRanges(squeezed, words)
  for (let at = 0; at + MIN_WORD_CHARS <= squeezed.length; at++)
    if (fragments.has(squeezed.slice(at, at + MIN_WORD_CHARS))) known.push([at, at + MIN_WORD_CHARS])
  known.sort((one, other) => one[0] - other[0])
  const ranges: Range[] = []
  for (let [from, to] of known) {
    const last = ranges.at(-1)
    if (last && to <= last[1]) continue
    while (from > 0 && wordCharacter.test(squeezed.charAt(from - 1))) from--
    while (to < squeezed.length && wordCharacter.test(squeezed.charAt(to))) to++
    if (last && from < last[1]) last[1] = to
    else ranges.push([from, to])
  }
  return ranges
}

function mapToOriginal([from, to]: Range, origin: number[]): Range {
  return [origin[from] ?? 0, (origin[to - 1] ?? 0) + 1]
}

function isOverlapping(one: Range, other: Range): boolean {
  return one[0] < other[1] && other[0] < one[1]
}

function redactRanges(line: string, words: Range[], offset: number): string {
  return words.reduceRight((rest, [from, to]) => {
    return `${rest.slice(0, Math.max(0, from - offset))}[withheld]${rest.slice(to - offset)}`
  }, line)
}
