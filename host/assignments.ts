import fs from 'node:fs'
import { isErrno } from './error.ts'
import { storageError } from './files.ts'

/** One `NAME=value` of a settings file: its name, the line it begins on, and its own text, which may be several lines. */
export interface Assignment {
  name: string
  line: number
  text: string
}

/** Something in the file that does not read. No line at all where it is about the file as a whole. */
export interface Flaw {
  line?: number
  what: string
}

/** What a settings file holds. Nothing of a line that does not read is ever quoted: it may be a secret. */
export interface Assignments {
  found: Assignment[]
  flaws: Flaw[]
}

/** Read a settings file, or nothing where there is none. Whatever stands in its place, the reader never hangs on it. */
export function readAssignments(file: string): Assignments {
  const read = readWhole(file)
  if (read === undefined) return { found: [], flaws: [] }
  return typeof read === 'string' ? { found: [], flaws: [{ what: read }] } : parseAssignments(read)
}

/** Take the bytes of a settings file apart. Pure. */
export function parseAssignments(bytes: Uint8Array): Assignments {
  const text = Buffer.from(bytes).toString('utf8')
  if (!Buffer.from(text).equals(bytes)) return { found: [], flaws: [notUtf8(bytes)] }
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  const found: Assignment[] = []
  const flaws: Flaw[] = []
  for (let at = 0; at < lines.length; ) {
    const { length, name, flaw } = takeOne(lines, at)
    if (flaw !== undefined) flaws.push({ line: at + 1, what: flaw })
    else if (name !== undefined) found.push({ name, line: at + 1, text: lines.slice(at, at + length).join('\n') })
    at += length
  }
  return { found, flaws: [...flaws, ...duplicates(found)] }
}

// --- internal ---

const most = 256 * 1024

/** The bytes of the file, or why they are not read; undefined where there is none. */
function readWhole(file: string): Uint8Array | string | undefined {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return isLink(file) ? 'it is a link, and there is nothing at its end' : undefined
    if (isErrno(error, 'ENOTDIR')) return undefined
    if (isErrno(error, 'ELOOP')) return 'it is a link that leads back to itself'
    if (isErrno(error, 'ENXIO', 'EOPNOTSUPP')) return 'it is not a plain file'
    throw storageError(file, error)
  }
  try {
    const found = fs.fstatSync(fd)
    if (found.isDirectory()) return 'it is a folder, and not a file'
    if (!found.isFile()) return 'it is not a plain file'
    return found.size > most ? `it has ${found.size} bytes; at most ${most} are read` : fs.readFileSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** What begins at this line: how many lines it takes, and its name, or why it does not read. */
function takeOne(lines: string[], at: number): { length: number; name?: string; flaw?: string } {
  const line = lines[at] ?? ''
  if (/^\s*(#.*)?$/.test(line)) return { length: 1 }
  if (line.includes('\0')) return { length: 1, flaw: 'there is a NUL byte in this line' }
  const [whole, name = ''] = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)[^\S\n]*/.exec(line) ?? []
  if (whole === undefined) return { length: 1, flaw: 'this line is no setting; one reads NAME=value' }
  const value = line.slice(whole.length)
  const quote = /^['"`]/.exec(value)?.[0]
  if (quote === undefined) {
    const cut = /\S#/.test(line.slice(whole.length - 1))
    return cut ? { length: 1, flaw: `${readable(name)}: a value with # in it belongs in quotes` } : { length: 1, name }
  }
  return takeQuoted(lines, { at, name, rest: value.slice(1), quote })
}

/** A quoted value ends at the next quote of its kind that has no `\` before it, on whatever line. */
function takeQuoted(
  lines: string[],
  { at, name, rest, quote }: { at: number; name: string; rest: string; quote: string },
): { length: number; name?: string; flaw?: string } {
  const flaw = (what: string) => ({ length: 1, flaw: `${readable(name)}: ${what}` })
  for (let last = at, text = rest; last < lines.length; last++, text = lines[last] ?? '') {
    if (text.includes('\0')) return flaw(`there is a NUL byte in its value (line ${last + 1})`)
    const end = new RegExp(`(?<!\\\\)${quote}`).exec(text)
    if (end === null) continue
    const after = text.slice(end.index + 1)
    if (/^\s*(#.*)?$/.test(after)) return { length: last - at + 1, name }
    return flaw(`something stands after the closing ${quote}${last > at ? ` in line ${last + 1}` : ''}`)
  }
  return flaw(`the quote ${quote} is never closed`)
}

function duplicates(found: Assignment[]): Flaw[] {
  return found.flatMap(({ name, line }, at) => {
    const earlier = found.slice(0, at).find(known => known.name === name)
    return earlier ? [{ line, what: `${readable(name)} stands on line ${earlier.line} already` }] : []
  })
}

/** A name as it may be shown. What looks like a key that was pasted (long, or letters of both cases with digits) may not. */
export function readable(name: string): string {
  const isToken = name.length > 40 || [/[a-z]/, /[A-Z]/, /\d/].every(kind => kind.test(name))
  return isToken ? 'the name in this line' : name
}

function notUtf8(bytes: Uint8Array): Flaw {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { what: 'it is UTF-16; save it as UTF-8' }
  let good = 0
  for (let at = 0, line = 1; at < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, at)
    const part = bytes.subarray(at, end < 0 ? bytes.length : end)
    if (!Buffer.from(Buffer.from(part).toString('utf8')).equals(part)) good = good || line
    at = end < 0 ? bytes.length : end + 1
  }
  return { line: good, what: 'there are bytes in this line that are no UTF-8' }
}
