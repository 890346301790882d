import fs from 'node:fs'
import { readArgumentBytes } from '#host/argv-bytes.ts'
import { DispatchError, exitCodes } from '#host/error.ts'

const MAX_TASK_BYTES = 1024 * 1024

/** The task, byte for byte, from the one place it was given in: a word, a file, or standard input. What is none is exit 2. */
export async function readTask(file: string | undefined, positionals: string[]): Promise<Buffer> {
  return readTextInput(file, positionals, { name: 'task', remedy: 'Say what is to be done: dispatch "fix the login".' })
}

/** The same for anything that a person gives: `name` says what it is, `remedy` what to do when it is empty. */
export async function readTextInput(
  file: string | undefined,
  positionals: string[],
  { name, remedy }: { name: string; remedy: string },
): Promise<Buffer> {
  const [words, ...more] = positionals
  if (more.length > 0)
    throw new DispatchError(`the ${name} came as ${positionals.length} words`, {
      exitCode: exitCodes.usage,
      remedy: 'Put it in quotes.',
    })
  if (words !== undefined && file !== undefined)
    throw new DispatchError(`the ${name} was given twice: as words and as a file`, { exitCode: exitCodes.usage })
  const task =
    file !== undefined
      ? readFile(file, name)
      : words === '-'
        ? await readStandardInput(name)
        : toBytes(words ?? '', name)
  const from = file ?? (words === '-' ? 'standard input' : `the ${name}`)
  if (task.toString('utf8').trim() === '')
    throw new DispatchError(`${from} is empty`, {
      exitCode: exitCodes.usage,
      remedy,
    })
  if (task.includes(0))
    throw new DispatchError(`${from} holds a NUL byte (at ${task.indexOf(0)})`, {
      exitCode: exitCodes.usage,
      remedy: 'Only text is taken.',
    })
  if (task.length > MAX_TASK_BYTES)
    throw new DispatchError(`${from} has ${formatSize(task, file)} bytes; at most ${MAX_TASK_BYTES} are taken`, {
      exitCode: exitCodes.usage,
      remedy: `Put the bulk into files of the repository and name them in the ${name}.`,
    })
  return task
}

/**
 * A moment to come, in ISO 8601: a time of day means the next one, `2026-11-21T06:30` is local time. Exit 2 for anything
 * else, and for what has passed.
 */
export function parseDeadline(text: string, now: Date): string {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  const moment = hour === undefined ? new Date(isoLike.test(text) ? text : Number.NaN) : new Date(now)
  if (hour !== undefined) {
    moment.setHours(Number(hour), Number(minute), 0, 0)
    if (moment <= now) moment.setDate(moment.getDate() + 1)
  }
  if (moment > now) return moment.toISOString()
  throw new DispatchError(
    Number.isNaN(moment.getTime()) ? `--deadline does not read: "${text}"` : `the deadline ${text} has passed`,
    { exitCode: exitCodes.usage, remedy: 'Give a time of day such as 06:30, or a moment such as 2026-11-21T06:30.' },
  )
}

// --- internal ---

const isoLike = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/

function toBytes(words: string, name: string): Buffer {
  const bytes = readArgumentBytes(words)
  if (bytes) return bytes
  throw new DispatchError(`the ${name} holds bytes that are no UTF-8, and this machine does not hand them on`, {
    exitCode: exitCodes.usage,
    remedy: 'Put it into a file, of which every byte is taken: --file FILE.',
  })
}

/** At most one byte more than a task may have: a file may be a device that never ends. */
function readFile(file: string, name: string): Buffer {
  try {
    const fd = fs.openSync(file, 'r')
    try {
      const task = Buffer.alloc(MAX_TASK_BYTES + 1)
      let size = 0
      for (let read = -1; read !== 0; size += read) read = fs.readSync(fd, task, size, task.length - size, null)
      return task.subarray(0, size)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new DispatchError(`the ${name} file ${file} cannot be read: ${error.code}`, { exitCode: exitCodes.usage })
  }
}

async function readStandardInput(name: string): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write(`Type the ${name}, then Ctrl-d.\n`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_TASK_BYTES) break
  }
  return Buffer.concat(chunks)
}

function formatSize(task: Buffer, file: string | undefined): string {
  const found = file === undefined ? undefined : fs.statSync(file, { throwIfNoEntry: false })
  return found?.isFile() ? String(found.size) : `${task.length} or more`
}
