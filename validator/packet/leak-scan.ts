/** A file of the judged tree. Only searched, never sent. */
export interface SourceFile {
  path: string
  text: string
}

/** What some texts repeat of the sources. All of it is normalized. */
export interface Leaks {
  /** Whole lines. */
  lines: Set<string>
  /** Pieces of 16 characters of long words. */
  fragments: Set<string>
  /** Shorter words, whole: quoted ones, and those that look random. */
  words: Set<string>
  /** For each source that has some of its lines in a row in one text: the lines they have in common. */
  runs: Set<string>[]
}

/** Replaces a line that repeats one of the source. */
export const withheldLine = '[line withheld]'

/**
 * Find what `texts` repeat of the sources, except what is `disclosed` anyway by the contract, the commands and the listing.
 * The texts are small and the sources may be large: the texts are indexed, and each source is read once.
 */
export function findLeaks(texts: string[], sources: Iterable<SourceFile>, disclosed: string): Leaks {
  const leaks: Leaks = { lines: new Set(), fragments: new Set(), words: new Set(), runs: [] }
  if (texts.every(text => text === '')) return leaks
  const quoted = new FragmentIndex(texts.join('\n'))
  const open = new FragmentIndex(`${disclosed}\n${ubiquitousPhrases}`)
  const openLines = new Set(normalizeLines(disclosed))
  const textLines = texts.map(normalizeLines)
  const quotedLines = new Set(textLines.flat().filter(line => line !== '' && !openLines.has(line)))
  const searchedWords = new Set<string>()
  for (const { path, text } of sources)
    if (!prosePath.test(path) && !text.includes('\0')) searchRuns(text.split('\n').map(searchLine))
  return leaks

  /** Search for the line and its words. Returns the line normalized. */
  function searchLine(line: string): string {
    const normalized = normalizeForSearch(line).trim()
    for (const word of extractQuotedWords(line)) searchWord(word)
    for (const word of extractWords(normalized)) {
      if (word.length >= MIN_WORD_CHARS) searchFragments(word)
      else if (isRandomLooking(word)) searchWord(word)
    }
    if (line.trim().length < MIN_LINE_CHARS) return normalized
    const needle = trimCommentMarks(normalized)
    if (quoted.contains(needle) && !open.contains(needle)) leaks.lines.add(needle)
    return normalized
  }

  function searchRuns(lines: string[]): void {
    const shared = new Set(lines.filter(line => quotedLines.has(line)))
    if (![...shared].some(isDistinctive)) return
    if (textLines.some(text => findRunLines(text, shared).size > 0)) leaks.runs.push(shared)
  }

  function searchWord(word: string): void {
    if (quoted.contains(word) && !open.contains(word)) leaks.words.add(word)
  }

  function searchFragments(word: string): void {
    if (searchedWords.has(word)) return
    searchedWords.add(word)
    for (const fragment of buildFragments(word)) {
      if (quoted.fragments.has(fragment) && !open.fragments.has(fragment) && alphanumeric.test(fragment))
        leaks.fragments.add(fragment)
    }
  }
}

/** The text with `[line withheld]` for a line that repeats the source, and `[withheld]` for a word of it. */
export function redactLeaks(text: string, leaks: Leaks): { text: string; withheld: number } {
  if (leaks.lines.size + leaks.fragments.size + leaks.words.size + leaks.runs.length === 0) return { text, withheld: 0 }
  const { normalized, offsets } = normalizeWithOffsets(text)
  const toOriginal = ([start, end]: Range): Range => [offsets[start] ?? 0, (offsets[end - 1] ?? 0) + 1]
  const lineRanges = findRanges(normalized, leaks.lines).map(toOriginal)
  const wordRanges = findWordRanges(normalized, leaks).map(toOriginal)
  const normalizedLines = leaks.runs.length > 0 ? normalizeLines(text) : []
  const runLines = new Set(leaks.runs.flatMap(shared => [...findRunLines(normalizedLines, shared)]))
  let withheld = 0
  let offset = 0
  const lines = text.split('\n').map((line, index) => {
    const lineRange: Range = [offset, offset + line.length]
    offset += line.length + 1
    const words = wordRanges.filter(range => isOverlapping(range, lineRange))
    const isLeakedLine = runLines.has(index) || lineRanges.some(range => isOverlapping(range, lineRange))
    withheld += isLeakedLine ? 1 : words.length
    return isLeakedLine ? withheldLine : redactRanges(line, words, lineRange[0])
  })
  return { text: lines.join('\n'), withheld }
}

// --- what counts as a leak ---

const MIN_LINE_CHARS = 20
const MIN_WORD_CHARS = 16
const MIN_RANDOM_WORD_CHARS = 12
const MIN_QUOTED_CHARS = 8
const MIN_RUN_LINES = 3
const prosePath = /\.(md|markdown|rst|adoc)$/i
const alphanumeric = /[\p{L}\p{N}]/u
const wordCharacter = /[\p{L}\p{N}_+/=-]/u
const wordRun = new RegExp(`${wordCharacter.source}{${MIN_RANDOM_WORD_CHARS},}`, 'gu')

/**
 * A word in quotes: `"swordfish"`, or `"swordfish":` with a colon, which marks a key. A lookahead, because the quote that
 * ends one word may begin the next.
 */
const quotedWord = new RegExp(`(["'\`])(?=((?:(?!\\1)\\S){${MIN_QUOTED_CHARS},})\\1(:?))`, 'g')

/** The labels of redacted text, and what many programs quote, so that it reveals nothing. */
const ubiquitousPhrases =
  '[withheld] [line withheld] [code withheld: ] [diff withheld: ] application/json text/plain text/html function undefined __main__ localhost 127.0.0.1'

/** Markup, quotes, escapes and invisible characters: a word is the same word with them or without. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const ignoredCharacters = /[`"'*\\~\p{Cf}\p{Mn}\u0000-\u0008\u000e-\u001f\u007f-\u009f]/gu
const ignoredCharacter = new RegExp(ignoredCharacters.source, 'u')

/** A text as it is compared: without ignored characters, and with one blank for any blank space. */
function normalizeForSearch(text: string): string {
  return text.replace(ignoredCharacters, '').replace(/\s+/g, ' ')
}

function normalizeLines(text: string): string[] {
  return text.split('\n').map(line => normalizeForSearch(line).trim())
}

/** A line without the comment marks and brackets around it, unless fewer than `minChars` are left. */
function trimCommentMarks(line: string, minChars = MIN_WORD_CHARS): string {
  let start = 0
  let end = line.length
  while (start < end && !alphanumeric.test(line.charAt(start))) start++
  while (end > start && !alphanumeric.test(line.charAt(end - 1))) end--
  if (end - start >= minChars) return line.slice(start, end)
  return end > start ? line.trim() : ''
}

/** Words as names are: letters, digits, `_` and `-`; and `+/=` too if the word looks like base64. */
function extractWords(line: string): string[] {
  return (line.match(wordRun) ?? []).flatMap(run => (isEncoded(run) ? [run] : run.split(/[+/=]+/)))
}

function isEncoded(run: string): boolean {
  return /[+/=]/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run)
}

/** A shorter word that no language has: letters with digits among them. */
function isRandomLooking(word: string): boolean {
  return word.length >= MIN_RANDOM_WORD_CHARS && /\p{L}/u.test(word) && /\p{N}/u.test(word)
}

/** Words between quotes, without blanks. A key of letters alone is an ordinary name like `dependencies`, and is left out. */
function extractQuotedWords(line: string): string[] {
  return [...line.matchAll(quotedWord)].flatMap(({ index, 2: word = '', 3: colon }) => {
    if (colon && /^\p{L}+$/u.test(word) && /(^|[{,])\s*$/.test(line.slice(Math.max(0, index - 40), index))) return []
    return word.split(/\\[nrt]/).map(part => trimCommentMarks(normalizeForSearch(part), MIN_QUOTED_CHARS))
  })
}

/** The indexes of the normalized lines that are in `shared`, three or more in a row, not counting blank ones. */
function findRunLines(lines: string[], shared: Set<string>): Set<number> {
  const runLines = new Set<number>()
  let run: [index: number, line: string][] = []
  const endRun = () => {
    if (run.length >= MIN_RUN_LINES && run.some(([, line]) => isDistinctive(line)))
      for (const [index] of run) runLines.add(index)
    run = []
  }
  for (const [index, line] of lines.entries()) {
    if (shared.has(line)) run.push([index, line])
    else if (line !== '') endRun()
  }
  endRun()
  return runLines
}

/** Not a lone brace, a number or a name: such lines are the same in many places. */
function isDistinctive(line: string): boolean {
  return /\p{L}/u.test(line) && /[^\p{L}\p{N}]/u.test(line)
}

function buildFragments(text: string, length = MIN_WORD_CHARS): Set<string> {
  const fragments = new Set<string>()
  for (let start = 0; start + length <= text.length; start++) fragments.add(text.slice(start, start + length))
  return fragments
}

/** A normalized text that answers fast whether it contains another. */
class FragmentIndex {
  readonly fragments: Set<string>
  private readonly shortFragments: Set<string>
  private readonly text: string

  constructor(text: string) {
    this.text = normalizeForSearch(text)
    this.fragments = buildFragments(this.text)
    this.shortFragments = buildFragments(this.text, MIN_QUOTED_CHARS)
  }

  contains(needle: string): boolean {
    const isShort = needle.length < MIN_WORD_CHARS
    const [fragments, length] = isShort ? [this.shortFragments, MIN_QUOTED_CHARS] : [this.fragments, MIN_WORD_CHARS]
    if (needle.length < length) return false
    return fragments.has(needle.slice(0, length)) && fragments.has(needle.slice(-length)) && this.text.includes(needle)
  }
}

// --- ranges ---

type Range = [start: number, end: number]

/** `normalizeForSearch`, with the offset of each remaining character in the text. */
function normalizeWithOffsets(text: string): { normalized: string; offsets: number[] } {
  const offsets: number[] = []
  const kept: string[] = []
  let offset = 0
  for (const character of text) {
    const isBlank = /\s/.test(character)
    const isKept = !ignoredCharacter.test(character) && !(isBlank && kept.at(-1) === ' ')
    if (isKept) kept.push(isBlank ? ' ' : character)
    for (let unit = 0; unit < character.length; unit++, offset++) if (isKept) offsets.push(offset)
  }
  return { normalized: kept.join(''), offsets }
}

function findRanges(normalized: string, needles: Set<string>): Range[] {
  return [...needles].flatMap(needle => {
    const ranges: Range[] = []
    for (let start = normalized.indexOf(needle); start >= 0; start = normalized.indexOf(needle, start + 1))
      ranges.push([start, start + needle.length])
    return ranges
  })
}

/** The whole words around every leaked fragment and word, each once and in order. */
function findWordRanges(normalized: string, { fragments, words }: Leaks): Range[] {
  const leaked = findRanges(normalized, words)
  for (let start = 0; start + MIN_WORD_CHARS <= normalized.length; start++)
    if (fragments.has(normalized.slice(start, start + MIN_WORD_CHARS))) leaked.push([start, start + MIN_WORD_CHARS])
  leaked.sort((a, b) => a[0] - b[0])
  const ranges: Range[] = []
  for (let [start, end] of leaked) {
    const last = ranges.at(-1)
    if (last && end <= last[1]) continue
    while (start > 0 && wordCharacter.test(normalized.charAt(start - 1))) start--
    while (end < normalized.length && wordCharacter.test(normalized.charAt(end))) end++
    if (last && start < last[1]) last[1] = end
    else ranges.push([start, end])
  }
  return ranges
}

function isOverlapping(a: Range, b: Range): boolean {
  return a[0] < b[1] && b[0] < a[1]
}

function redactRanges(line: string, ranges: Range[], offset: number): string {
  return ranges.reduceRight((rest, [start, end]) => {
    return `${rest.slice(0, Math.max(0, start - offset))}[withheld]${rest.slice(end - offset)}`
  }, line)
}
