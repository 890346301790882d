import path from 'node:path'
import { appendLine, readBytesIfPresent, readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { Event, EventBody } from './event.ts'
import { parseLine } from './parse-line.ts'

/** A parsed log: its events in order, and the state of its hash chain. */
export interface Log {
  events: Event[]
  /** For each event, the hash of its line. */
  hashes: string[]
  /** How many lines could not be read as an event. */
  unreadableLines: number
  /** Number and hash of the last whole line: the head of the log. 0 and null in an empty log. */
  lastSeq: number
  head: string | null
  /** Numbers of the lines that do not name the hash of the line before them. */
  chainBreaks: number[]
  /** Numbers of the lines that are not one more than the line before them. */
  seqGaps: number[]
  /** The first line that names the hash of the line before it; null in a log of an older dispatch. */
  chainStart: number | null
}

/**
 * Read a log. A torn, spliced or foreign line is only counted: it is not fatal, stays in the file, and breaks no chain.
 * Whether the first line really is the first can be checked only with the session's id.
 */
export function readLog(file: string, sessionId?: string): Log {
  return parseLog(readBytesIfPresent(file) ?? Buffer.alloc(0), sessionId)
}

/** Parse the bytes of a log. Pure. */
export function parseLog(bytes: Buffer, sessionId?: string): Log {
  const lists = { events: [], hashes: [], chainBreaks: [], seqGaps: [] }
  const log: Log = { ...lists, unreadableLines: 0, lastSeq: 0, head: null, chainStart: null }
  for (const rawLine of splitLogLines(bytes)) {
    const isLogLine = rawLine.length <= MAX_LINE_BYTES && rawLine.includes('"seq":')
    const line = isLogLine ? parseLine(rawLine.toString('utf8')) : undefined
    if (line === undefined || line.event === undefined) log.unreadableLines++
    if (line === undefined) continue
    const expectedPrev = log.head ?? (sessionId === undefined ? line.prev : computeGenesisHash(sessionId))
    const isBreak = line.prev === undefined ? log.chainStart !== null : line.prev !== expectedPrev
    if (isBreak) log.chainBreaks.push(line.seq)
    if (line.prev !== undefined) log.chainStart ??= line.seq
    if (line.seq !== log.lastSeq + 1) log.seqGaps.push(line.seq)
    log.lastSeq = line.seq
    log.head = sha256(rawLine)
    if (line.event === undefined) continue
    log.events.push(line.event)
    log.hashes.push(log.head)
  }
  return log
}

/** Append an event after `lastSeq`. Only for a command while no runner can be alive: a runner has its `LogWriter`. */
export function appendEvent(file: string, body: EventBody, lastSeq: number, now: Date): Event {
  const event: Event = { seq: lastSeq + 1, time: now.toISOString(), ...body }
  const sessionId = path.basename(path.dirname(file))
  appendLine(file, serializeEvent(event, readLogHead(file) ?? computeGenesisHash(sessionId)))
  return event
}

/** Serialize an event with the hash of the line before it. Throws if the line could not be parsed again. */
export function serializeEvent({ seq, time, ...body }: Event, prev: string): string {
  const line = JSON.stringify({ seq, time, prev, ...body })
  if (parseLine(line)?.event === undefined) throw new Error(`this event could not be read back: ${line.slice(0, 400)}`)
  return line
}

/** What the first line of a session's log names in place of a previous hash. */
export function computeGenesisHash(sessionId: string): string {
  return sha256(`dispatch events ${sessionId}`)
}

/** The log anchor: the first 16 digits of a head. Short enough to compare by eye, and too long to forge. */
export function formatLogAnchor(head: string): string {
  return head.slice(0, 16)
}

// --- internal ---

/** The longest line that dispatch writes. */
const MAX_LINE_BYTES = 64 * 1024

/** How much of the end of a log is read to find its head. */
const TAIL_BYTES = 4 * MAX_LINE_BYTES

/** The first byte of every line that dispatch writes. */
const openBrace = '{'.charCodeAt(0)

/** The lines of a log, byte for byte, without the blank ones that end a torn line. */
function* splitLogLines(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf('\n', start)
    const end = newline < 0 ? bytes.length : newline
    const rawLine = bytes.subarray(start, end)
    start = end + 1
    if (rawLine[0] === openBrace || rawLine.length > MAX_LINE_BYTES || rawLine.toString('utf8').trim() !== '')
      yield rawLine
  }
}

/** Read the head of a log from the end of its file, or from all of it if the end holds no whole line. */
function readLogHead(file: string): string | null {
  const tail = readUntrusted(file, TAIL_BYTES, -TAIL_BYTES)
  const head = tail && parseLog(tail.subarray(tail.length < TAIL_BYTES ? 0 : tail.indexOf('\n'))).head
  return head ?? readLog(file).head
}
