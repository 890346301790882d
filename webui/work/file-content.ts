import { decodeNames } from '#host/file-name.ts'
import { formatCount, sanitize } from '#host/text.ts'

/** A picture that a browser shows, by its content. */
export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/svg+xml'

/** Text for the page: whole, or its beginning. */
export interface ShownText {
  lines: string[]
  /** What is unusual about it, such as another encoding, or that it is cut; for people. */
  remarks: string[]
}

const MAX_LINES = 10_000
const MAX_LINE_CHARS = 2000

/** The type of a picture by its first bytes. Its name does not count. Pure. */
export function detectImage(bytes: Buffer): ImageType | undefined {
  const start = bytes.subarray(0, 16).toString('latin1')
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(start)) return 'image/gif'
  if (/^RIFF[\s\S]{4}WEBP/.test(start)) return 'image/webp'
  return svgPattern.test(bytes.subarray(0, MAX_SVG_START_BYTES).toString('utf8')) ? 'image/svg+xml' : undefined
}

/** Decode the beginning of a file as text; undefined for a binary file. Pure. */
export function decodeText(bytes: Buffer): { text: string; encoding: string } | undefined {
  const mark = utf16Marks[bytes.subarray(0, 2).toString('latin1')]
  if (mark !== undefined) return { text: new TextDecoder(mark).decode(bytes), encoding: mark.toUpperCase() }
  if (bytes.subarray(0, MAX_PROBED_BYTES).includes(0)) return undefined
  const text = decodeNames(bytes.toString('latin1')).replace(/^\ufeff/, '')
  const probe = text.slice(0, MAX_PROBED_BYTES)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what binary files have
  const oddCount = probe.match(/[\u0001-\u0008\u000e-\u001a\u001c-\u001f\udc80-\udcff]/g)?.length ?? 0
  if (oddCount > probe.length * MAX_ODD_RATIO) return undefined
  return { text, encoding: text.isWellFormed() ? '' : 'not UTF-8' }
}

/** Split text into lines that a browser can bear. `isCut`: is this only the beginning of the file? Pure. */
export function splitText({ text, encoding }: { text: string; encoding: string }, isCut: boolean): ShownText {
  const all = text.split('\n')
  if (all.at(-1) === '' && all.length > 1) all.pop()
  const crlfCount = all.filter(line => line.endsWith('\r')).length
  const isCrlf = crlfCount >= all.length - 1 && crlfCount > 0
  const shown = all.slice(0, MAX_LINES)
  const longCount = shown.filter(line => line.length > MAX_LINE_CHARS).length
  return {
    lines: shown.map(line => shortenLine(isCrlf ? line.replace(/\r$/, '') : line)),
    remarks: [
      ...(encoding === 'not UTF-8' ? ['Not UTF-8: other bytes are shown as \\x and two digits.'] : []),
      ...(encoding !== '' && encoding !== 'not UTF-8' ? [`The encoding is ${encoding}.`] : []),
      ...(isCrlf ? ['Lines end with CRLF.'] : []),
      ...(crlfCount > 0 && !isCrlf ? ['Some lines end with CRLF, shown as \\u{d}.'] : []),
      ...(longCount > 0 ? [`${formatCount(longCount, 'long line')} cut at ${MAX_LINE_CHARS} characters.`] : []),
      ...(isCut || all.length > MAX_LINES ? ['Only the beginning is shown.'] : []),
    ],
  }
}

/** A line of a difference. */
export interface DiffLine {
  kind: 'same' | 'added' | 'deleted' | 'place'
  /** `+`, `-` or empty. */
  mark: string
  /** The number of the line; before the work if it was deleted. Empty for what is no line of the file. */
  number: string
  text: string
}

/** Parse a unified diff of one file for the page. Pure. */
export function parseDiff(bytes: Buffer, isCut: boolean): { lines: DiffLine[]; remarks: string[] } {
  const rows = decodeNames(bytes.toString('latin1')).split('\n')
  const start = rows.findIndex(row => row.startsWith('@@ '))
  const body = start < 0 ? [] : rows.slice(start, isCut ? undefined : -1)
  const lines: DiffLine[] = []
  let [before, after] = [0, 0]
  for (const row of body.slice(0, MAX_LINES)) {
    const [, oldStart, newStart] = placePattern.exec(row) ?? []
    const text = shortenLine(row.slice(1))
    if (oldStart !== undefined && newStart !== undefined) {
      before = Number(oldStart)
      after = Number(newStart)
      lines.push({ kind: 'place', mark: '', number: '', text: shortenLine(row) })
    } else if (row.startsWith('+')) lines.push({ kind: 'added', mark: '+', number: `${after++}`, text: showCrlf(text) })
    else if (row.startsWith('-'))
      lines.push({ kind: 'deleted', mark: '-', number: `${before++}`, text: showCrlf(text) })
    else if (row.startsWith('\\')) lines.push({ kind: 'place', mark: '', number: '', text: row.slice(2) })
    else {
      before++
      lines.push({ kind: 'same', mark: '', number: `${after++}`, text: text.replace(/\r$/, '') })
    }
  }
  return { lines, remarks: isCut || body.length > MAX_LINES ? ['Only the beginning of the change is shown.'] : [] }
}

/** A size for people: `812 bytes`, `3.4 KB`, `12 MB`. Pure. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return formatCount(bytes, 'byte')
  const [divisor, unit] = bytes < 999_500 ? [1000, 'KB'] : bytes < 999_500_000 ? [1e6, 'MB'] : [1e9, 'GB']
  const value = bytes / divisor
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}

// --- internal ---

/** As many as git looks at. */
const MAX_PROBED_BYTES = 8000
const MAX_SVG_START_BYTES = 4096
const MAX_ODD_RATIO = 0.3

const utf16Marks: Record<string, string> = { '\xff\xfe': 'utf-16le', '\xfe\xff': 'utf-16be' }

const svgPattern =
  /^\ufeff?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*(?:<!DOCTYPE svg[^>[]*>\s*)?<svg[\s>]/i

/** `@@ -1,4 +1,5 @@` */
const placePattern = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/

/** A line end of Windows is shown in a line that changed, because it may be all that changed. */
function showCrlf(text: string): string {
  return text.replace(/\r$/, '␍')
}

function shortenLine(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line
  const kept = line.slice(0, MAX_LINE_CHARS).replace(/[\ud800-\udbff]$/, '')
  return `${sanitize(kept)}… [${formatCount(line.length - kept.length, 'more character')}]`
}
