import { formatCount, sanitize, stripEscapeSequences } from '#host/text.ts'

/** A text, and how many pieces were removed from it. */
export interface StrippedText {
  text: string
  withheld: number
}

/** A text without terminal escapes and without control, direction and zero-width characters. Line breaks are `\n`. */
export function stripControlCharacters(text: string): string {
  const plain = stripEscapeSequences(text.replace(/\r\n?/g, '\n'))
  return sanitize(plain).replace(/\\u\{[0-9a-f]{1,6}\}/g, '')
}

/** A report with `[code withheld: 12 lines]` for each code block. A fence that never closes reaches to the end. */
export function stripCodeFences(text: string): StrippedText {
  const kept: string[] = []
  let fence = ''
  let codeLines = 0
  let withheld = 0
  const closeFence = () => {
    kept.push(`[code withheld: ${formatCount(codeLines, 'line')}]`)
    withheld++
    fence = ''
  }
  for (const line of text.split('\n')) {
    const [, marks = '', rest = ''] = fenceLine.exec(line) ?? []
    if (fence !== '') {
      if (marks.startsWith(fence) && rest.trim() === '') closeFence()
      else codeLines++
    } else if (marks === '' || (marks.startsWith('`') && rest.includes('`'))) kept.push(line)
    else {
      fence = marks
      codeLines = 0
    }
  }
  if (fence !== '') closeFence()
  return { text: kept.join('\n'), withheld }
}

/** A text with `[diff withheld: 5 lines]` for each hunk: what follows `@@`, and runs of `+` and `-` lines. A list with dashes stays. */
export function stripDiffs(text: string): StrippedText {
  const lines = text.split('\n')
  const kept: string[] = []
  let withheld = 0
  for (let index = 0; index < lines.length; ) {
    const length = countHunkLines(lines, index)
    if (length === 0) kept.push(lines[index] ?? '')
    else {
      kept.push(`[diff withheld: ${formatCount(length, 'line')}]`)
      withheld++
    }
    index += Math.max(1, length)
  }
  return { text: kept.join('\n'), withheld }
}

/** The first `maxBytes` of a text, whole characters only, with a note if something was cut. */
export function truncateText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  const head = bytes.toString('utf8', 0, maxBytes).replace(/\ufffd+$/, '')
  return `${head}\n[cut here: ${bytes.length} bytes, of which these are the first ${maxBytes}]`
}

// --- internal ---

/** `` ```sh ``, `  > ~~~`, `1. ```` ` */
const fenceLine = /^[\s>*+\-\d.)|]*(`{3,}|~{3,})(.*)$/
/** `@@ -1,2 +1,2 @@`, `diff --git a/x b/x`, `index 1234567..89abcde`, `--- a/x`, `+++ /dev/null` */
const hunkHeader = /^(@@+ .*@@|diff --git |index [0-9a-f]{7,}\.\.|(---|\+\+\+) (a\/|b\/|\/dev\/null))/

/** How many lines of a diff begin at `start`; 0 if none does. */
function countHunkLines(lines: string[], start: number): number {
  const hasHeader = hunkHeader.test(lines[start] ?? '')
  const hunkLine = hasHeader ? /^([ +\\-]|@@|diff --git |index |$)/ : /^[+-]/
  let end = hasHeader ? start + 1 : start
  while (end < lines.length && hunkLine.test(lines[end] ?? '')) end++
  return hasHeader || isDiffRun(lines.slice(start, end)) ? end - start : 0
}

/** Two lines or more, at least one with `+`, and either one with `-` or a `+` right before a word. */
function isDiffRun(lines: string[]): boolean {
  const hasPlus = lines.some(line => line.startsWith('+'))
  return lines.length >= 2 && hasPlus && lines.some(line => line.startsWith('-') || /^\+\S/.test(line))
}
