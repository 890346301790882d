import { hash } from 'node:crypto'
import fs from 'node:fs'
import { appendLine, DispatchError, exits } from '../host/index.ts'
import type { Event, Happening } from './event.ts'
import { beginning, lineOf, readLog } from './log.ts'

/**
 * The one who writes a log, and keeps in mind how it was left: whatever anybody else does to the file shows before the next
 * event counts. One look costs an lstat; only where that shows a change is the log read again.
 */
export class Scribe {
  /** Number and hash of the last line that was written: what the next one follows. */
  seq: number
  head: string
  /** What somebody has done to the log, in words, since it was begun. It stays: such a log vouches for nothing more. */
  harm: string | undefined
  private readonly file: string
  private readonly id: string
  /** How the file looked when it was last seen to be right. */
  private left: Sight
  /** How long it must be; not known after a write that failed. */
  private bytes: number | undefined
  /** The hash of a line that may or may not have reached the disk. */
  private tried: string | undefined

  /** Take a log up where it ends; one whose chain is broken has come to harm. */
  constructor(file: string, id: string) {
    this.file = file
    this.id = id
    this.left = sightOf(file)
    this.bytes = this.left.size
    const { seq, head, breaks } = readLog(file, id)
    this.seq = seq
    this.head = head ?? beginning(id)
    if (breaks.length > 0) this.harm = brokenAt(breaks)
  }

  /** What somebody has done to the log since the last look; each deed is told once. */
  look(): string | undefined {
    const now = sightOf(this.file)
    return isSame(now, this.left) ? undefined : this.compare(now)
  }

  /** Throws exit 13 unless every line is as it was written, by this writer and those before it. */
  vouch(): void {
    this.compare(sightOf(this.file))
    if (this.harm !== undefined) throw new DispatchError(this.harm, { exit: exits.integrity })
  }

  /** Append what happened. Where somebody has come between, the chain shows it from here on. */
  append(happening: Happening, now: Date): Event {
    this.putStrangerAside()
    const event: Event = { seq: this.seq + 1, at: now.toISOString(), ...happening }
    const line = lineOf(event, this.head)
    this.tried = hash('sha256', line)
    const before = this.bytes
    this.bytes = undefined
    appendLine(this.file, line)
    this.seq++
    this.head = this.tried
    const left = sightOf(this.file)
    this.bytes = before === undefined ? left.size : before + Buffer.byteLength(line) + 2
    this.left = left.size === this.bytes ? left : unseen
    return event
  }

  private compare(now: Sight): string | undefined {
    const harm = this.harmIn(now)
    this.left = now
    this.bytes = now.size
    this.harm ??= harm
    return harm
  }

  private harmIn({ kind, size }: Sight): string | undefined {
    if (kind === 'nothing') return this.seq === 0 ? undefined : 'events.jsonl is gone: somebody has removed it'
    if (kind === 'stranger') return 'events.jsonl is no plain file any more: somebody has put something in its place'
    const { seq, head, breaks } = readLog(this.file, this.id)
    if (this.bytes === undefined && head === this.tried) {
      this.seq = seq // The disk reported an error, and the line is there all the same.
      this.head = head
    }
    if ((head ?? beginning(this.id)) !== this.head)
      return seq > this.seq
        ? `events.jsonl holds lines behind line ${this.seq} that its runner did not write`
        : `events.jsonl no longer ends in line ${this.seq}: somebody has cut or changed it`
    if (this.harm === undefined && breaks.length > 0) return brokenAt(breaks)
    return this.bytes === undefined || this.bytes === size
      ? undefined
      : 'events.jsonl holds bytes that its runner did not write'
  }

  /** Opening a pipe would wait for ever, and what a link leads to is not ours: it is kept under another name. */
  private putStrangerAside(): void {
    if (sightOf(this.file).kind !== 'stranger') return
    fs.renameSync(this.file, `${this.file}.aside-${Date.now()}`)
    this.bytes = 0
  }
}

// --- internal ---

interface Sight {
  kind: 'file' | 'nothing' | 'stranger'
  inode: bigint
  size: number
  /** Changes with every write, rename and change of rights, and nobody but the kernel sets it. */
  changed: bigint
}

const unseen: Sight = { kind: 'nothing', inode: -1n, size: -1, changed: -1n }

function sightOf(file: string): Sight {
  const found = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
  if (!found) return { kind: 'nothing', inode: 0n, size: 0, changed: 0n }
  const kind = found.isFile() ? 'file' : 'stranger'
  return { kind, inode: found.ino, size: Number(found.size), changed: found.ctimeNs }
}

function isSame(one: Sight, other: Sight): boolean {
  return (
    one.inode === other.inode && one.size === other.size && one.changed === other.changed && one.kind === other.kind
  )
}

function brokenAt(breaks: number[]): string {
  const more = breaks.length > 1 ? ` and ${breaks.length - 1} more` : ''
  return `the chain of events.jsonl is broken at line ${breaks[0]}${more}: somebody has changed, removed or added lines`
}
