import { stripVTControlCharacters } from 'node:util'
import { sanitize } from '#host/text.ts'

/** A text without terminal escapes, control, direction and zero-width characters; line breaks are `\n`. */
export function stripControlCharacters(text: string): string {
  const plain = stripVTControlCharacters(text.replace(/\r\n?/g, '\n'))
  return sanitize(plain).replace(/\\u\{[0-9a-f]{1,6}\}/g, '')
}

/** A report without its fenced code: `[code withheld: 12 lines]`. A fence that never closes reaches to the end. */
export function stripCodeFences(text: string): { text: string; withheld: number } {
  const kept: string[] = []
  let fence = ''
  let inside = 0
  let withheld = 0
  const leave = () => {
    kept.push(`[code withheld: ${formatWithheldLines(inside)}]`)
    withheld++
    fence = ''
  }
  for (const line of text.split('\n')) {
    const [, marks = '', rest = ''] = fenceLine.exec(line) ?? []
    if (fence !== '') {
      if (marks.startsWith(fence) && rest.trim() === '') leave()
      else inside++
    } else if (marks === '' || (marks.startsWith('`') && rest.includes('`'))) kept.push(line)
    else {
      fence = marks
      inside = 0
    }
  }
  if (fence !== '') leave()
  return { text: kept.join('\n'), withheld }
}

/** A text without diff hunks: what follows `@@`, and runs of `+` and `-` lines. A list with dashes stays. */
export function stripDiffs(text: string): { text: string; withheld: number } {
  const lines = text.split('\n')
  const kept: string[] = []
  let withheld = 0
  for (let at = 0; at < lines.length; ) {
    const length = countHunkLines(lines, at)
    if (length === 0) kept.push(lines[at] ?? '')
    else {
      kept.push(`[diff withheld: ${formatWithheldLines(length)}]`)
      withheld++
    }
    at += Math.max(1, length)
  }
  return { text: kept.join('\n'), withheld }
}

/** The first `bytes` of a text, whole characters only, and a note when something is missing. */
export function truncateText(text: string, bytes: number): string {
  const all = Buffer.from(text)
  if (all.length <= bytes) return text
  const head = all
    .subarray(0, bytes)
    .toString()
    .replace(/\ufffd+$/, '')
  return `${head}\n[cut here: ${all.length} bytes, of which these are the first ${bytes}]`
}

// --- internal ---

const fenceLine = /^[\s>*+\-\d.)|]*(`{3,}|~{3,})(.*)$/
const hunkHead = /^(@@+ .*@@|diff --git |index [0-9a-f]{7,}\.\.|(---|\+\+\+) (a\/|b\/|\/dev\/null))/

/** How many lines of a diff begin here; 0 when none does. */
function countHunkLines(lines: string[], start: number): number {
  const isHead = hunkHead.test(lines[start] ?? '')
  const belongs = isHead ? /^([ +\\-]|@@|diff --git |index |$)/ : /^[+-]/
  let end = start
  while (
    end < lines.length &&
    (end === start ? isHead || belongs.test(lines[end] ?? '') : belongs.test(lines[end] ?? ''))
  )
    end++
  return isHead || isDiffRun(lines.slice(start, end)) ? end - start : 0
}

/** Two lines or more with `+` among them, and either `-` too or a sign that stands right before a word. */
function isDiffRun(lines: string[]): boolean {
  const hasPlus = lines.some(line => line.startsWith('+'))
  return lines.length >= 2 && hasPlus && lines.some(line => line.startsWith('-') || /^\+\S/.test(line))
}

function formatWithheldLines(lines: number): string {
  return `${lines} ${lines === 1 ? 'line' : 'lines'}`
}
