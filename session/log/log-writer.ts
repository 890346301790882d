import { hash } from 'node:crypto'
import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { appendLine } from '#host/fs'
import type { Event, EventBody } from './event.ts'
import { computeGenesisHash, readLog, serializeEvent } from './log.ts'

/**
 * The one who writes a log, and keeps in mind how it was left: whatever anybody else does to the file shows before the next
 * event counts. One look costs an lstat; only where that shows a change is the log read again.
 */
export class LogWriter {
  /** Number and hash of the last line that was written: what the next one follows. */
  lastSeq: number
  head: string
  /** What somebody has done to the log, in words, since it was begun. It stays: such a log vouches for nothing more. */
  damage: string | undefined
  private readonly file: string
  private readonly id: string
  /** How the file looked when it was last seen to be right. */
  private lastSnapshot: FileSnapshot
  /** How long it must be; not known after a write that failed. */
  private expectedBytes: number | undefined
  /** The hash of a line that may or may not have reached the disk. */
  private pendingHash: string | undefined

  /** Take a log up where it ends; one whose chain is broken has come to harm. */
  constructor(file: string, id: string) {
    this.file = file
    this.id = id
    this.lastSnapshot = takeSnapshot(file)
    this.expectedBytes = this.lastSnapshot.size
    const { lastSeq, head, chainBreaks } = readLog(file, id)
    this.lastSeq = lastSeq
    this.head = head ?? computeGenesisHash(id)
    if (chainBreaks.length > 0) this.damage = describeBreaks(chainBreaks)
  }

  /** What somebody has done to the log since the last look; each deed is told once. */
  checkForDamage(): string | undefined {
    const now = takeSnapshot(this.file)
    return isSameSnapshot(now, this.lastSnapshot) ? undefined : this.compareWithFile(now)
  }

  /** Throws exit 13 unless every line is as it was written, by this writer and those before it. */
  requireIntact(): void {
    this.compareWithFile(takeSnapshot(this.file))
    if (this.damage !== undefined) throw new DispatchError(this.damage, { exitCode: exitCodes.integrity })
  }

  /** Append what happened. Where somebody has come between, the chain shows it from here on. */
  append(happening: EventBody, now: Date): Event {
    this.moveForeignFileAside()
    const event: Event = { seq: this.lastSeq + 1, time: now.toISOString(), ...happening }
    const line = serializeEvent(event, this.head)
    this.pendingHash = hash('sha256', line)
    const before = this.expectedBytes
    this.expectedBytes = undefined
    appendLine(this.file, line)
    this.lastSeq++
    this.head = this.pendingHash
    const left = takeSnapshot(this.file)
    this.expectedBytes = before === undefined ? left.size : before + Buffer.byteLength(line) + 2
    this.lastSnapshot = left.size === this.expectedBytes ? left : unknownSnapshot
    return event
  }

  private compareWithFile(now: FileSnapshot): string | undefined {
    const harm = this.findDamage(now)
    this.lastSnapshot = now
    this.expectedBytes = now.size
    this.damage ??= harm
    return harm
  }

  private findDamage({ kind, size }: FileSnapshot): string | undefined {
    if (kind === 'nothing') return this.lastSeq === 0 ? undefined : 'events.jsonl is gone: somebody has removed it'
    if (kind === 'stranger') return 'events.jsonl is no plain file any more: somebody has put something in its place'
    const { lastSeq, head, chainBreaks } = readLog(this.file, this.id)
    if (this.expectedBytes === undefined && head === this.pendingHash) {
      this.lastSeq = lastSeq // The disk reported an error, and the line is there all the same.
      this.head = head
    }
    if ((head ?? computeGenesisHash(this.id)) !== this.head)
      return lastSeq > this.lastSeq
        ? `events.jsonl holds lines behind line ${this.lastSeq} that its runner did not write`
        : `events.jsonl no longer ends in line ${this.lastSeq}: somebody has cut or changed it`
    if (this.damage === undefined && chainBreaks.length > 0) return describeBreaks(chainBreaks)
    return this.expectedBytes === undefined || this.expectedBytes === size
      ? undefined
      : 'events.jsonl holds bytes that its runner did not write'
  }

  /** Opening a pipe would wait for ever, and what a link leads to is not ours: it is kept under another name. */
  private moveForeignFileAside(): void {
    if (takeSnapshot(this.file).kind !== 'stranger') return
    fs.renameSync(this.file, `${this.file}.aside-${Date.now()}`)
    this.expectedBytes = 0
  }
}

// --- internal ---

interface FileSnapshot {
  kind: 'file' | 'nothing' | 'stranger'
  inode: bigint
  size: number
  /** Changes with every write, rename and change of rights, and nobody but the kernel sets it. */
  changed: bigint
}

const unknownSnapshot: FileSnapshot = { kind: 'nothing', inode: -1n, size: -1, changed: -1n }

function takeSnapshot(file: string): FileSnapshot {
  const found = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
  if (!found) return { kind: 'nothing', inode: 0n, size: 0, changed: 0n }
  const kind = found.isFile() ? 'file' : 'stranger'
  return { kind, inode: found.ino, size: Number(found.size), changed: found.ctimeNs }
}

function isSameSnapshot(one: FileSnapshot, other: FileSnapshot): boolean {
  return (
    one.inode === other.inode && one.size === other.size && one.changed === other.changed && one.kind === other.kind
  )
}

function describeBreaks(breaks: number[]): string {
  const more = breaks.length > 1 ? ` and ${breaks.length - 1} more` : ''
  return `the chain of events.jsonl is broken at line ${breaks[0]}${more}: somebody has changed, removed or added lines`
}
