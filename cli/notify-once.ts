import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { readJson, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'

const Told = z.record(
  z.string(),
  z.object({ hash: z.string(), at: z.iso.datetime(), isSent: z.boolean(), reason: z.string() }),
)

/**
 * What a person was told about some things, such as the files of the inboxes, in `$DISPATCH_HOME/<kind>-told.json`, so that each is
 * told once: also after a restart, and also where the process ends in between. A file that cannot be read counts as empty.
 */
export class NotifyOnce {
  private readonly file: string

  private readonly kind: string

  constructor(home: string, kind: 'inbox' | 'queue' | 'landing' | 'issues' | 'pull-request') {
    this.kind = kind
    this.file = path.join(home, `${kind}-told.json`)
  }

  /**
   * Tell `reason` about a file with this stamp, if that was not told. `tell` gets an id and a time, which are the same if it has
   * to be called again. Returns whether it was called.
   */
  tell(file: string, stamp: string, reason: string, tell: (id: string, at: string) => void): boolean {
    const hash = hashReason(file, stamp, reason)
    const known = this.read()[file]
    if (known?.hash === hash && known.isSent) return false
    const at = known?.hash === hash ? known.at : new Date().toISOString()
    this.write({ ...this.read(), [file]: { hash, at, isSent: false, reason } })
    tell(`${this.kind}-${hash}`, at)
    this.write({ ...this.read(), [file]: { hash, at, isSent: true, reason } })
    return true
  }

  /** Was just this the last that was told about this file, which has not changed since? */
  wasTold(file: string, stamp: string, reason: string): boolean {
    return this.read()[file]?.hash === hashReason(file, stamp, reason)
  }

  /** Has exactly this been told to the end? */
  isDone(file: string, stamp: string, reason: string): boolean {
    const known = this.read()[file]
    return known?.isSent === true && known.hash === hashReason(file, stamp, reason)
  }

  /** What was told about a file, if it is still there. */
  find(file: string): string | undefined {
    return this.read()[file]?.reason
  }

  /** Forget what was told about a folder and what is below it, besides these files: if it comes back, it is told again. */
  keep(folder: string, files: Set<string>): void {
    const told = this.read()
    const isBelow = (file: string) => `${file}/`.startsWith(`${folder}/`)
    const left = Object.entries(told).filter(([file]) => !isBelow(file) || files.has(file))
    if (left.length < Object.keys(told).length) this.write(Object.fromEntries(left))
  }

  private read(): z.infer<typeof Told> {
    return fs.existsSync(this.file) ? (Told.safeParse(readJson(this.file)).data ?? {}) : {}
  }

  private write(told: z.infer<typeof Told>): void {
    writeAtomic(this.file, JSON.stringify(told))
  }
}

// --- internal ---

function hashReason(file: string, stamp: string, reason: string): string {
  return sha256(`${file}\n${stamp}\n${reason}`).slice(0, 16)
}
