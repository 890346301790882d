import fs from 'node:fs'
import { parse } from 'dotenv'
import { isErrno } from '../error.ts'
import { toStorageError } from '../fs/storage-error.ts'

/** The content of a settings file: each name with its value and its line, and the lines that cannot be used. */
export interface EnvFile {
  entries: Map<string, { value: string; line: number }>
  problems: EnvProblem[]
}

/** Lines count from 1; line 0 is the file as a whole. A message never quotes a value, because it may be a secret. */
export interface EnvProblem {
  line: number
  message: string
  /** Of the setting; the whole line where it has none; undefined for the file as a whole. */
  name?: string
}

/** Read a settings file; empty when there is no file. A pipe or a device is never opened. */
export function readEnvFile(file: string): EnvFile {
  try {
    const stats = fs.statSync(file)
    if (stats.isDirectory()) return createProblem(0, 'it is a folder, not a file')
    if (!stats.isFile()) return createProblem(0, 'it is not a regular file')
    if (stats.size > MAX_ENV_FILE_BYTES)
      return createProblem(0, `it has ${stats.size} bytes; the limit is ${MAX_ENV_FILE_BYTES}`)
    return parseEnv(fs.readFileSync(file, 'utf8'))
  } catch (error) {
    if (isErrno(error, 'ELOOP')) return createProblem(0, 'it is a link that leads back to itself')
    if (isErrno(error, 'ENOTDIR')) return createEmptyEnv() // lstat would throw it again.
    if (!isErrno(error, 'ENOENT')) throw toStorageError(file, error)
    const isLink = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()
    return isLink ? createProblem(0, 'it is a link to a file that does not exist') : createEmptyEnv()
  }
}

/** A settings file without content. */
export function createEmptyEnv(): EnvFile {
  return { entries: new Map(), problems: [] }
}

/** The name, unless it looks like a pasted key: long, or with letters of both cases and digits. */
export function maskName(name: string): string {
  const isToken = name.length > 40 || [/[a-z]/, /[A-Z]/, /\d/].every(kind => kind.test(name))
  return isToken ? 'the name in this line' : name
}

// --- internal ---

const MAX_ENV_FILE_BYTES = 256 * 1024

/** A name and what follows it, divided as dotenv divides a line. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)((?:\s*=|:\s).*)$/

/** Line by line, because no setting may contain a line break. */
function parseEnv(content: string): EnvFile {
  const lines = content.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  const garbled = lines.findIndex(line => /[\0\ufffd]/.test(line))
  if (garbled >= 0) return createProblem(garbled + 1, 'this line has bytes that are not text; save the file as UTF-8')
  const { entries, problems } = createEmptyEnv()
  for (const [index, text] of lines.entries()) {
    if (/^\s*(#|$)/.test(text)) continue
    const [, name = '', assignment = ''] = ASSIGNMENT.exec(text) ?? []
    const [value = ''] = Object.values(parse(text))
    const earlier = entries.get(name)
    const problem = findValueProblem(assignment, value) ?? (earlier && `is already set on line ${earlier.line}`)
    const line = index + 1
    if (name === '') problems.push({ line, name: text.trim(), message: 'this line is not a setting; write NAME=value' })
    else if (problem !== undefined) problems.push({ line, name, message: `${maskName(name)} ${problem}` })
    else entries.set(name, { value, line: index + 1 })
  }
  return { entries, problems }
}

/** What dotenv accepts in silence: a quote too many, which it keeps, and a # in a value, where it cuts. */
function findValueProblem(assignment: string, value: string): string | undefined {
  const quote = /^\s*[=:]\s*(['"`])/.exec(assignment)?.[1]
  if (quote === undefined)
    return /^[^#]*[^#\s]#/.test(assignment) ? 'has a # in its value; put the value in quotes' : undefined
  return value.includes(quote) ? `needs one ${quote} before its value and one after it, on the same line` : undefined
}

function createProblem(line: number, message: string): EnvFile {
  return { ...createEmptyEnv(), problems: [{ line, message }] }
}
