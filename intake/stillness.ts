/** So long a file must stay as it is, unless it came by a rename. */
export const STILL_MS = 250

/**
 * Which files are complete. One that was renamed into its place is; one that is written there is complete once it has stayed as
 * it is for `STILL_MS`. On Linux the system tells a rename from a write. Elsewhere each file waits.
 */
export class Stillness {
  private readonly seen = new Map<string, Sight>()
  private readonly tellsRenames: boolean

  constructor(platform: NodeJS.Platform = process.platform) {
    this.tellsRenames = platform === 'linux'
  }

  /** Note an event of `fs.watch`: `rename` where a name begins or ceases to exist, `change` where content is written. */
  note(file: string, event: 'rename' | 'change', nowMs: number): void {
    this.seen.set(file, { stamp: '', sinceMs: nowMs, hasArrived: event === 'rename' && this.tellsRenames })
  }

  /** In how many ms a file with this stamp may be taken, if it stays as it is; 0: now. */
  getRestMs(file: string, stamp: string, nowMs: number): number {
    const sight = this.seen.get(file)
    if (sight?.hasArrived) return 0
    if (sight?.stamp !== stamp) this.seen.set(file, { stamp, sinceMs: nowMs, hasArrived: false })
    const sinceMs = sight?.stamp === stamp ? sight.sinceMs : nowMs
    return Math.max(0, STILL_MS - (nowMs - sinceMs))
  }

  /** Forget what is below a folder, besides these files. */
  keep(folder: string, files: Set<string>): void {
    for (const file of this.seen.keys()) if (file.startsWith(`${folder}/`) && !files.has(file)) this.seen.delete(file)
  }
}

// --- internal ---

interface Sight {
  stamp: string
  /** When it was first seen with this stamp, by a clock that never goes back. */
  sinceMs: number
  /** Its name appeared, and nothing was written since. */
  hasArrived: boolean
}
