import fs from 'node:fs'
import { readArgumentBytes } from '#host/argv-bytes.ts'
import { readAtMost } from '#host/read-at-most.ts'
import { UsageError } from '../command.ts'

const MAX_TASK_BYTES = 1024 * 1024

/** A text, byte for byte, from an argument, a file or standard input. Exit 2 for anything else; errors call it `name`. */
export async function readTextInput(
  file: string | undefined,
  positionals: string[],
  { name, remedy }: { name: string; remedy: string },
): Promise<Buffer> {
  const [argument = ''] = positionals
  if (positionals.length > 1)
    throw new UsageError(`the ${name} was split into ${positionals.length} words`, 'Put it in quotes.')
  if (positionals.length > 0 && file !== undefined)
    throw new UsageError(`the ${name} was given twice: as an argument and as a file`)
  const source = file ?? (argument === '-' ? 'standard input' : `the ${name}`)
  const bytes =
    file !== undefined
      ? readFile(file, name)
      : argument === '-'
        ? await readStandardInput(name)
        : toBytes(argument, name)
  if (bytes.toString('utf8').trim() === '') throw new UsageError(`${source} is empty`, remedy)
  if (bytes.includes(0))
    throw new UsageError(`${source} contains a NUL byte (at ${bytes.indexOf(0)})`, 'Only text is accepted.')
  if (bytes.length > MAX_TASK_BYTES)
    throw new UsageError(
      `${source} has ${formatSize(bytes, file)} bytes; the limit is ${MAX_TASK_BYTES}`,
      `Put the details into files of the repository, and name those files in the ${name}.`,
    )
  return bytes
}

/**
 * The future moment that an option names, in ISO 8601. A time of day is the next one; `2026-11-21T06:30` is local time. Exit 2 for
 * anything else.
 */
export function parseFutureTime(text: string, option: string, now: Date): string {
  const [, hour, minute] = TIME_OF_DAY.exec(text) ?? []
  const moment = hour === undefined ? new Date(isDateTime(text) ? text : Number.NaN) : new Date(now)
  if (hour !== undefined) {
    const setTime = () => moment.setHours(Number(hour), Number(minute), 0, 0)
    setTime()
    if (moment <= now) moment.setDate(moment.getDate() + 1)
    setTime() // An hour that one day lacks, because summer time begins, is there on the next.
  }
  if (moment > now) return moment.toISOString()
  throw new UsageError(
    Number.isNaN(moment.getTime()) ? `${option} takes a time, not "${text}"` : `${option} ${text} has passed`,
    `Examples: ${option} 06:30, ${option} 2026-11-21T06:30`,
  )
}

// --- internal ---

const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)$/
const ISO_DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/

/** JavaScript takes 31 February, and means a day in March. */
function isDateTime(text: string): boolean {
  const [, year, month, day] = ISO_DATE_TIME.exec(text) ?? []
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day)
}

function toBytes(argument: string, name: string): Buffer {
  const bytes = readArgumentBytes(argument)
  if (bytes) return bytes
  throw new UsageError(
    `the ${name} contains bytes that are not UTF-8, which this system changes in arguments`,
    'Put it into a file, which is read byte for byte: --file FILE',
  )
}

/** Reads at most one byte more than the limit: a file may be a device that never ends. */
function readFile(file: string, name: string): Buffer {
  try {
    const fd = fs.openSync(file, 'r')
    try {
      return readAtMost(fd, MAX_TASK_BYTES + 1)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const problem = fileProblems[String(error.code)] ?? `cannot be read (${error.code})`
    throw new UsageError(`the ${name} file ${file} ${problem}`, 'Name a text file that you can read: --file FILE')
  }
}

const fileProblems: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by you',
}

async function readStandardInput(name: string): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write(`Type the ${name}, then press Ctrl-d.\n`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_TASK_BYTES) break
  }
  return Buffer.concat(chunks)
}

/** What was read is cut; the size of a regular file is known all the same. */
function formatSize(bytes: Buffer, file: string | undefined): string {
  const stat = file === undefined ? undefined : fs.statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() ? String(stat.size) : `${bytes.length} or more`
}
