import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { DispatchError, exitCodes } from '#host/error.ts'
import { appendLine } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { Event, EventBody } from './event.ts'
import { computeGenesisHash, readLog, serializeEvent } from './log.ts'

/**
 * The only writer of a log. It remembers how it left the file, so any change by another process shows before the next
 * event counts. A look costs one lstat; the log is read again only if that shows a change.
 */
export class LogWriter {
  /** Number and hash of the last line: what the next line follows. */
  lastSeq: number
  head: string
  /** A description of the first damage that was found. It stays: nothing can rest on such a log any more. */
  damage: string | undefined
  /** The time of the last line. */
  private lastTime: string
  private readonly file: string
  private readonly sessionId: string
  /** The file when it was last known to be intact. */
  private lastSnapshot: FileSnapshot
  /** The size that the file must have; undefined after a failed write. */
  private expectedBytes: number | undefined
  /** An event with the hash of its line, which may or may not have reached the disk. */
  private pending: { event: Event; hash: string } | undefined
  private kept: Event | undefined

  /** Continue a log where it ends. A broken hash chain counts as damage. */
  constructor(file: string, sessionId: string) {
    this.file = file
    this.sessionId = sessionId
    this.lastSnapshot = takeSnapshot(file)
    this.expectedBytes = this.lastSnapshot.size
    const { events, lastSeq, head, chainBreaks } = readLog(file, sessionId)
    this.lastSeq = lastSeq
    this.lastTime = events.at(-1)?.time ?? ''
    this.head = head ?? computeGenesisHash(sessionId)
    if (chainBreaks.length > 0) this.damage = describeBreaks(chainBreaks)
  }

  /** Describe damage since the last look; each damage is returned once. */
  checkForDamage(): string | undefined {
    const now = takeSnapshot(this.file)
    return isDeepStrictEqual(now, this.lastSnapshot) ? undefined : this.compareWithFile(now)
  }

  /** Throws exit 13 unless every line is exactly as this writer and its predecessors wrote it. */
  requireIntact(): void {
    this.compareWithFile(takeSnapshot(this.file))
    if (this.damage !== undefined)
      throw new DispatchError(this.damage, {
        exitCode: exitCodes.integrity,
        remedy: `To see what else was changed: dispatch audit ${this.sessionId.slice(-4)}`,
      })
  }

  /** An event whose line is there although the disk reported an error when it was appended. Each is returned once. */
  takeKept(): Event | undefined {
    const { kept } = this
    this.kept = undefined
    return kept
  }

  /**
   * Append an event. Its time is never before that of the last one, also when the clock was set back, so that events and
   * notifications keep their order. If another process wrote in between, the hash chain is broken from this line on. */
  append(body: EventBody, now: Date): Event {
    this.moveForeignFileAside()
    const time = now.toISOString()
    this.lastTime = time > this.lastTime ? time : this.lastTime
    const event: Event = { seq: this.lastSeq + 1, time: this.lastTime, ...body }
    const line = serializeEvent(event, this.head)
    const hash = sha256(line)
    this.pending = { event, hash }
    const bytesBefore = this.expectedBytes
    this.expectedBytes = undefined
    appendLine(this.file, line)
    this.lastSeq++
    this.head = hash
    const written = takeSnapshot(this.file)
    this.expectedBytes = bytesBefore === undefined ? written.size : bytesBefore + Buffer.byteLength(line) + 2
    this.lastSnapshot = written.size === this.expectedBytes ? written : unknownSnapshot
    return event
  }

  private compareWithFile(now: FileSnapshot): string | undefined {
    const damage = this.findDamage(now)
    this.lastSnapshot = now
    this.expectedBytes = now.size
    this.damage ??= damage
    return damage
  }

  private findDamage({ kind, size }: FileSnapshot): string | undefined {
    if (kind === 'missing') return this.lastSeq === 0 ? undefined : 'events.jsonl is gone: it was removed'
    if (kind === 'special') return 'events.jsonl is not a plain file any more: it was replaced'
    const { lastSeq, head, chainBreaks } = readLog(this.file, this.sessionId)
    if (this.expectedBytes === undefined && this.pending && head === this.pending.hash) {
      this.lastSeq = lastSeq // The disk reported an error, but the line is there.
      this.head = head
      this.kept = this.pending.event
      this.pending = undefined
    }
    if ((head ?? computeGenesisHash(this.sessionId)) !== this.head)
      return lastSeq > this.lastSeq
        ? `events.jsonl has lines after line ${this.lastSeq} that its runner did not write`
        : `events.jsonl no longer ends with line ${this.lastSeq}: it was cut or changed`
    if (this.damage === undefined && chainBreaks.length > 0) return describeBreaks(chainBreaks)
    return this.expectedBytes === undefined || this.expectedBytes === size
      ? undefined
      : 'events.jsonl has bytes that its runner did not write'
  }

  /** Keep a pipe, which would block, or a link, which leads elsewhere, under another name. */
  private moveForeignFileAside(): void {
    if (takeSnapshot(this.file).kind !== 'special') return
    fs.renameSync(this.file, `${this.file}.quarantined-${Date.now()}`)
    this.expectedBytes = 0
  }
}

// --- internal ---

interface FileSnapshot {
  kind: 'file' | 'missing' | 'special'
  inode: bigint
  size: number
  /** Set by the kernel alone, at every write, rename and change of rights. */
  ctimeNs: bigint
}

const unknownSnapshot: FileSnapshot = { kind: 'missing', inode: -1n, size: -1, ctimeNs: -1n }

function takeSnapshot(file: string): FileSnapshot {
  const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
  if (!stats) return { kind: 'missing', inode: 0n, size: 0, ctimeNs: 0n }
  const kind = stats.isFile() ? 'file' : 'special'
  return { kind, inode: stats.ino, size: Number(stats.size), ctimeNs: stats.ctimeNs }
}

function describeBreaks(seqs: number[]): string {
  const more = seqs.length > 1 ? ` and ${seqs.length - 1} more` : ''
  return `the hash chain of events.jsonl is broken at line ${seqs[0]}${more}: lines were changed, removed or added`
}
