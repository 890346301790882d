import { isOpenForWriting } from '#host/process'

/** So long a file must stay as it is, unless it came by a rename. */
export const STILL_MS = 200

/**
 * Which files are complete. One that was renamed into its place is; one that is written there is complete once it has stayed as
 * it is for `STILL_MS`; and no process may have it open for writing any more. On Linux the system tells a rename from a write, and
 * who has a file open. Elsewhere each file waits, and only for the time.
 */
export class Stillness {
  private readonly seen = new Map<string, Sight>()
  private readonly tellsRenames: boolean
  private readonly isOpenForWriting: (file: string) => boolean

  constructor({ platform = process.platform, openForWriting = isOpenForWriting }: StillnessOptions = {}) {
    this.tellsRenames = platform === 'linux'
    this.isOpenForWriting = openForWriting
  }

  /** Note an event of `fs.watch`: `rename` where a name begins or ceases to exist, `change` where content is written. */
  note(file: string, event: 'rename' | 'change', nowMs: number): void {
    this.seen.set(file, { stamp: '', sinceMs: nowMs, hasArrived: event === 'rename' && this.tellsRenames })
  }

  /** In how many ms a file with this stamp may be taken, if it stays as it is; 0: now. */
  getRestMs(file: string, stamp: string, nowMs: number): number {
    const sight = this.seen.get(file)
    if (sight?.hasArrived) return this.isOpenForWriting(file) ? STILL_MS : 0 // Its writer may have moved it.
    if (sight?.stamp !== stamp) this.seen.set(file, { stamp, sinceMs: nowMs, hasArrived: false })
    const stillMs = sight?.stamp === stamp ? nowMs - sight.sinceMs : 0
    if (stillMs < STILL_MS) return STILL_MS - stillMs
    // A slow writer is looked at less and less often.
    return this.isOpenForWriting(file) ? Math.min(MAX_OPEN_REST_MS, Math.max(STILL_MS, stillMs / 2)) : 0
  }

  /** Forget what is below a folder, besides these files. */
  keep(folder: string, files: Set<string>): void {
    for (const file of this.seen.keys()) if (file.startsWith(`${folder}/`) && !files.has(file)) this.seen.delete(file)
  }
}

// --- internal ---

/** Tests set them. */
interface StillnessOptions {
  platform?: NodeJS.Platform
  openForWriting?: (file: string) => boolean
}

/** How often a file that stays open is looked at, at least. */
const MAX_OPEN_REST_MS = 2000

interface Sight {
  stamp: string
  /** When it was first seen with this stamp, by a clock that never goes back. */
  sinceMs: number
  /** Its name appeared, and nothing was written since. */
  hasArrived: boolean
}
