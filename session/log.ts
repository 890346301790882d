import { hash } from 'node:crypto'
import { appendLine, bytesIfPresent, readUntrusted } from '../host/index.ts'
import { type Event, type Happening, type Line, parseLine } from './event.ts'

/** What a log holds: its events in order, and how its lines hang together. */
export interface Log {
  events: Event[]
  /** Of each event, the hash of its line. */
  hashes: string[]
  /** Lines that could not be read as an event. */
  unread: number
  /** Number and hash of the last whole line: the head of the log. Number 0 and null for an empty one. */
  seq: number
  head: string | null
  /** Numbers of the lines that do not follow the line before them. */
  breaks: number[]
  /** Numbers of the lines that are not one more than the line before them. */
  gaps: number[]
  /** The first line that names the one before it; null in a log of an older dispatch. */
  chainedFrom: number | null
}

/**
 * Read a log. A torn, spliced or foreign line is counted, never fatal, never removed, and breaks no chain. Whether the first
 * line is the first can only be told with the session's id.
 */
export function readLog(file: string, id?: string): Log {
  return logOf(bytesIfPresent(file) ?? Buffer.alloc(0), id)
}

/** The same of bytes. Pure. */
export function logOf(bytes: Buffer, id?: string): Log {
  const log: Log = { events: [], hashes: [], unread: 0, seq: 0, head: null, breaks: [], gaps: [], chainedFrom: null }
  for (const raw of linesOf(bytes)) {
    const line = wholeLine(raw)
    if (line === undefined || line.event === undefined) log.unread++
    if (line === undefined) continue
    const before = log.head ?? (id === undefined ? line.prev : beginning(id))
    if (line.prev === undefined ? log.chainedFrom !== null : line.prev !== before) log.breaks.push(line.seq)
    if (line.prev !== undefined) log.chainedFrom ??= line.seq
    if (line.seq !== log.seq + 1) log.gaps.push(line.seq)
    log.seq = line.seq
    log.head = hash('sha256', raw)
    if (line.event === undefined) continue
    log.events.push(line.event)
    log.hashes.push(log.head)
  }
  return log
}

/**
 * Append what happened, numbered after the last and hung on to the last whole line. For a door, while no runner can; a runner
 * has its `Scribe`.
 */
export function append(file: string, happening: Happening, previous: number, now: Date): Event {
  const event: Event = { seq: previous + 1, at: now.toISOString(), ...happening }
  appendLine(file, lineOf(event, headOf(file) ?? beginning(idOf(file))))
  return event
}

/** An event as it stands in the log, with the hash of the line before it. One that nobody could read back is not written. */
export function lineOf({ seq, at, ...happening }: Event, prev: string): string {
  const line = JSON.stringify({ seq, at, prev, ...happening })
  if (parseLine(line)?.event === undefined) throw new Error(`no reader would take this event: ${line.slice(0, 400)}`)
  return line
}

/** What the first line of a session's log names in place of a line before it. */
export function beginning(id: string): string {
  return hash('sha256', `dispatch events ${id}`)
}

/** The head of a log in so few digits that a person compares them; no other log that fits them can be found in a lifetime. */
export function proofOf(head: string): string {
  return head.slice(0, 16)
}

// --- internal ---

/** No line of ours is longer. */
const longest = 64 * 1024

/** `{`, with which every line of ours begins. */
const brace = 123

function wholeLine(raw: Buffer): Line | undefined {
  return raw.length > longest || !raw.includes('"seq":') ? undefined : parseLine(raw.toString('utf8'))
}

/** The lines of a log, byte for byte; blank ones, of which there is one before each, are left out. */
function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(10, from)
    const end = found < 0 ? bytes.length : found
    const raw = bytes.subarray(from, end)
    from = end + 1
    if (raw[0] === brace || raw.length > longest || raw.toString('utf8').trim() !== '') yield raw
  }
}

/** The head of a log, of whose file only the end is read where that will do. */
function headOf(file: string): string | null {
  const end = readUntrusted(file, 4 * longest, -4 * longest)
  const head = end && logOf(end.subarray(end.length < 4 * longest ? 0 : end.indexOf(10))).head
  return head ?? readLog(file).head
}

/** The folder of a session bears its id. */
function idOf(file: string): string {
  return file.split('/').at(-2) ?? ''
}
