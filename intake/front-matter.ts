import { isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { MAX_TASK_FILE_BYTES } from './inspect.ts'

/** A task as its file has it. What the front matter leaves out is missing. */
export interface TaskFile {
  /** What is below the front matter, byte for byte; the whole file without one. */
  task: Buffer
  title?: string
  priority?: string
  tags: string[]
  model?: string
  after: string[]
  deadline?: string
}

/** Read a task file: an optional front matter in YAML, which is strict, then the task. `problem` says why it does not read. Pure. */
export function parseTaskFile(bytes: Buffer, priorities: readonly string[]): TaskFile | { problem: string } {
  if (bytes.length > MAX_TASK_FILE_BYTES)
    return { problem: `it has more than ${MAX_TASK_FILE_BYTES} bytes; put the details into files of the repository` }
  if (bytes.includes(0)) return { problem: `it has a NUL byte (at ${bytes.indexOf(0)}), so it is not text` }
  const parts = split(bytes)
  if ('problem' in parts) return parts
  const header = parseHeader(parts.header, priorities)
  if ('problem' in header) return header
  const task = Buffer.from(parts.body)
  if (task.toString('utf8').trim() === '')
    return { problem: parts.hasHeader ? 'there is no task below the front matter' : 'it has only blank lines' }
  return { ...header.values, task }
}

// --- internal ---

const MAX_HEADER_BYTES = 64 * 1024
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

function split(bytes: Buffer): { hasHeader: boolean; header: string; body: Buffer } | { problem: string } {
  const start = bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  const text = bytes.subarray(start).toString('latin1') // A byte is a character, so positions are those of the bytes.
  const opening = /^---[ \t]*\r?\n/.exec(text)?.[0]
  if (opening === undefined) return { hasHeader: false, header: '', body: bytes }
  const rest = text.slice(opening.length)
  const closing = /^---[ \t]*\r?$\n?/m.exec(rest)
  if (closing === null) return { problem: 'line 1: `---` begins a front matter, and no second `---` ends it' }
  if (closing.index > MAX_HEADER_BYTES) return { problem: `the front matter has more than ${MAX_HEADER_BYTES} bytes` }
  const header = Buffer.from(rest.slice(0, closing.index), 'latin1')
  const body = rest.slice(closing.index + closing[0].length).replace(/^([ \t]*\r?\n)+/, '')
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(header)
    return { hasHeader: true, header: decoded, body: Buffer.from(body, 'latin1') }
  } catch {
    return { problem: 'the front matter is not UTF-8' }
  }
}

const word = (what: string) => z.string(`must be ${what}`).regex(/^[A-Za-z0-9][\w.-]{0,79}$/, `must be ${what}`)
const listOf = (what: string, example: string) =>
  z
    .union(
      [word(what).transform(one => [one]), z.array(word(what)).max(20)],
      `must be ${what}, or a list: [${example}]`,
    )
    .default([])

const createSchema = (priorities: readonly string[]) =>
  z.strictObject({
    title: z
      .string('must be text')
      .trim()
      .min(1, 'must not be empty')
      .max(200, 'may have 200 characters')
      .regex(/^[^\r\n]*$/, 'must be one line')
      .optional(),
    priority: z.enum(priorities as [string, ...string[]], `must be one of ${priorities.join(', ')}`).optional(),
    tags: listOf('a word such as docs', 'docs, api'),
    model: z
      .string('must be the name of a model')
      .regex(/^[A-Za-z0-9][\w.:@/[\]-]{0,149}$/, 'must be the name of a model, such as opus')
      .optional(),
    after: listOf('an item such as q-17 or a session', 'q-17, q-18'),
    deadline: z.string('must be a time, such as 06:30 or 2026-11-21T06:30').min(1, 'must not be empty').optional(),
  })

/** The first line of the file is `---`, so line 1 of the front matter is line 2. */
const LINES_ABOVE = 1

function parseHeader(
  header: string,
  priorities: readonly string[],
): { values: Omit<TaskFile, 'task'> } | { problem: string } {
  const lines = new LineCounter()
  const document = parseDocument(header, { lineCounter: lines, prettyErrors: false, strict: true, version: '1.2' })
  const describe = (offset: number, message: string) => `line ${lines.linePos(offset).line + LINES_ABOVE}: ${message}`
  const [fault] = [...document.errors, ...document.warnings]
  if (fault) return { problem: describe(fault.pos[0], toFirstLine(fault.message)) }
  const { contents } = document
  if (contents !== null && !isMap(contents) && !(isScalar(contents) && contents.value === null))
    return { problem: 'line 2: the front matter must have lines such as `priority: high`' }
  const findLine = (key: unknown) => {
    const pair = isMap(contents)
      ? contents.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === key)
      : undefined
    return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0
  }
  const plain = toPlain(document)
  if (plain === undefined) return { problem: 'the front matter uses an alias (*), which is not read' }
  const schema = createSchema(priorities)
  const parsed = schema.safeParse(plain ?? {})
  if (parsed.success) return { values: parsed.data as Omit<TaskFile, 'task'> }
  const problems = parsed.error.issues.map(issue => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
    const key = unknown ?? issue.path[0]
    const known = Object.keys(schema.shape).join(', ')
    const message = unknown === undefined ? `${String(key)} ${issue.message}` : `unknown key "${unknown}"; use ${known}`
    return describe(findLine(key), message)
  })
  return { problem: problems.join('; ') }
}

/** Undefined where it has an alias, which can make a small file large. */
function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    return undefined
  }
}

function toFirstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}
