import { hash } from 'node:crypto'
import { appendLine, readBytesIfPresent, readUntrusted } from '#host/fs'
import { type Event, type EventBody, type LogLine, parseLine } from './event.ts'

/** What a log holds: its events in order, and how its lines hang together. */
export interface Log {
  events: Event[]
  /** Of each event, the hash of its line. */
  hashes: string[]
  /** Lines that could not be read as an event. */
  unreadableLines: number
  /** Number and hash of the last whole line: the head of the log. Number 0 and null for an empty one. */
  lastSeq: number
  head: string | null
  /** Numbers of the lines that do not follow the line before them. */
  chainBreaks: number[]
  /** Numbers of the lines that are not one more than the line before them. */
  seqGaps: number[]
  /** The first line that names the one before it; null in a log of an older dispatch. */
  chainStart: number | null
}

/**
 * Read a log. A torn, spliced or foreign line is counted, never fatal, never removed, and breaks no chain. Whether the first
 * line is the first can only be told with the session's id.
 */
export function readLog(file: string, id?: string): Log {
  return parseLog(readBytesIfPresent(file) ?? Buffer.alloc(0), id)
}

/** The same of bytes. Pure. */
export function parseLog(bytes: Buffer, id?: string): Log {
  const log: Log = {
    events: [],
    hashes: [],
    unreadableLines: 0,
    lastSeq: 0,
    head: null,
    chainBreaks: [],
    seqGaps: [],
    chainStart: null,
  }
  for (const raw of splitLogLines(bytes)) {
    const line = parseLineBytes(raw)
    if (line === undefined || line.event === undefined) log.unreadableLines++
    if (line === undefined) continue
    const before = log.head ?? (id === undefined ? line.prev : computeGenesisHash(id))
    if (line.prev === undefined ? log.chainStart !== null : line.prev !== before) log.chainBreaks.push(line.seq)
    if (line.prev !== undefined) log.chainStart ??= line.seq
    if (line.seq !== log.lastSeq + 1) log.seqGaps.push(line.seq)
    log.lastSeq = line.seq
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
export function appendEvent(file: string, happening: EventBody, previous: number, now: Date): Event {
  const event: Event = { seq: previous + 1, time: now.toISOString(), ...happening }
  appendLine(file, serializeEvent(event, readLogHead(file) ?? computeGenesisHash(readSessionId(file))))
  return event
}

/** An event as it stands in the log, with the hash of the line before it. One that nobody could read back is not written. */
export function serializeEvent({ seq, time, ...happening }: Event, prev: string): string {
  const line = JSON.stringify({ seq, time, prev, ...happening })
  if (parseLine(line)?.event === undefined) throw new Error(`no reader would take this event: ${line.slice(0, 400)}`)
  return line
}

/** What the first line of a session's log names in place of a line before it. */
export function computeGenesisHash(id: string): string {
  return hash('sha256', `dispatch events ${id}`)
}

/** The head of a log in so few digits that a person compares them; no other log that fits them can be found in a lifetime. */
export function formatLogAnchor(head: string): string {
  return head.slice(0, 16)
}

// --- internal ---

/** No line of ours is longer. */
const MAX_LINE_BYTES = 64 * 1024

/** `{`, with which every line of ours begins. */
const OPEN_BRACE_BYTE = 123

function parseLineBytes(raw: Buffer): LogLine | undefined {
  return raw.length > MAX_LINE_BYTES || !raw.includes('"seq":') ? undefined : parseLine(raw.toString('utf8'))
}

/** The lines of a log, byte for byte; blank ones, of which there is one before each, are left out. */
function* splitLogLines(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(10, from)
    const end = found < 0 ? bytes.length : found
    const raw = bytes.subarray(from, end)
    from = end + 1
    if (raw[0] === OPEN_BRACE_BYTE || raw.length > MAX_LINE_BYTES || raw.toString('utf8').trim() !== '') yield raw
  }
}

/** The head of a log, of whose file only the end is read where that will do. */
function readLogHead(file: string): string | null {
  const end = readUntrusted(file, 4 * MAX_LINE_BYTES, -4 * MAX_LINE_BYTES)
  const head = end && parseLog(end.subarray(end.length < 4 * MAX_LINE_BYTES ? 0 : end.indexOf(10))).head
  return head ?? readLog(file).head
}

/** The folder of a session bears its id. */
function readSessionId(file: string): string {
  return file.split('/').at(-2) ?? ''
}
