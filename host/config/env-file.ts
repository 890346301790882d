import fs from 'node:fs'
import { parse } from 'dotenv'
import { isErrno } from '../error.ts'
import { toStorageError } from '../fs/files.ts'

/** What a settings file holds: the value of each name with its line (counted from 1), and the lines that it cannot use. */
export interface EnvFile {
  found: Map<string, { value: string; line: number }>
  /** Line 0 means the file as a whole. A value is never quoted: it may be a secret. */
  flaws: { line: number; what: string }[]
}

/** Read a settings file; an empty one where there is no file. A pipe or a device is never opened. */
export function readEnvFile(file: string): EnvFile {
  try {
    const stats = fs.statSync(file)
    if (stats.isDirectory()) return flawed(0, 'it is a folder, and not a file')
    if (!stats.isFile()) return flawed(0, 'it is not a plain file')
    if (stats.size > MAX_BYTES) return flawed(0, `it has ${stats.size} bytes; at most ${MAX_BYTES} are read`)
    return parseEnv(fs.readFileSync(file, 'utf8'))
  } catch (error) {
    if (isErrno(error, 'ELOOP')) return flawed(0, 'it is a link that leads back to itself')
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw toStorageError(file, error)
    const isLink = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()
    return isLink ? flawed(0, 'it is a link, and there is nothing at its end') : emptyEnv()
  }
}

/** A settings file with nothing in it. */
export const emptyEnv = (): EnvFile => ({ found: new Map(), flaws: [] })

/** A name as it may be shown: not one that looks like a pasted key (long, or letters of both cases with digits). */
export function maskName(name: string): string {
  const isToken = name.length > 40 || [/[a-z]/, /[A-Z]/, /\d/].every(kind => kind.test(name))
  return isToken ? 'the name in this line' : name
}

// --- internal ---

const MAX_BYTES = 256 * 1024

/** A name and what follows it, divided as dotenv divides a line. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)((?:\s*=|:\s).*)$/

/** Line by line, because no setting takes a line break. */
function parseEnv(content: string): EnvFile {
  const lines = content.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  const garbled = lines.findIndex(line => /[\0\ufffd]/.test(line))
  if (garbled >= 0) return flawed(garbled + 1, 'this line has bytes that are not text; save the file as UTF-8')
  const { found, flaws } = emptyEnv()
  for (const [index, text] of lines.entries()) {
    if (/^\s*(#|$)/.test(text)) continue
    const [, name = '', rest = ''] = ASSIGNMENT.exec(text) ?? []
    const [value = ''] = Object.values(parse(text))
    const earlier = found.get(name)
    const what = flawIn(rest, value) ?? (earlier && `is already set on line ${earlier.line}`)
    if (name === '') flaws.push({ line: index + 1, what: 'this line is not a setting; write NAME=value' })
    else if (what !== undefined) flaws.push({ line: index + 1, what: `${maskName(name)} ${what}` })
    else found.set(name, { value, line: index + 1 })
  }
  return { found, flaws }
}

/** What dotenv would pass in silence: a quote too many, which it keeps, and a # in a value, where it cuts. */
function flawIn(rest: string, value: string): string | undefined {
  const quote = /^\s*[=:]\s*(['"`])/.exec(rest)?.[1]
  if (quote === undefined)
    return /^[^#]*[^#\s]#/.test(rest) ? 'has a # in its value; put the value in quotes' : undefined
  return value.includes(quote) ? `needs one ${quote} before its value and one behind it, on the same line` : undefined
}

const flawed = (line: number, what: string): EnvFile => ({ ...emptyEnv(), flaws: [{ line, what }] })
