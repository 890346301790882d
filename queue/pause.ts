import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { makePrivateFolder, readJson, writeAtomic } from '#host/fs'

const Pause = z.object({ since: z.iso.datetime(), until: z.iso.datetime().nullable(), reason: z.string() })

/** No session starts meanwhile, by whatever way. `until` is null where a person ends it. */
export type Pause = z.infer<typeof Pause>

/** The pause of a home; undefined if it is not paused. A file that cannot be read counts as a pause without an end. */
export function readPause(home: string, now: Date): Pause | undefined {
  const file = getPauseFile(home)
  const stats = fs.statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const pause = Pause.safeParse(readJson(file)).data
  if (pause === undefined) return { since: stats.mtime.toISOString(), until: null, reason: `${file} cannot be read` }
  return pause.until !== null && Date.parse(pause.until) <= now.getTime() ? undefined : pause
}

export function writePause(home: string, pause: Pause): void {
  makePrivateFolder(home)
  writeAtomic(getPauseFile(home), `${JSON.stringify(pause)}\n`)
}

/** Returns whether there was one. */
export function endPause(home: string, now: Date): boolean {
  const wasPaused = readPause(home, now) !== undefined
  fs.rmSync(getPauseFile(home), { force: true })
  return wasPaused
}

// --- internal ---

function getPauseFile(home: string): string {
  return path.join(home, 'paused.json')
}
