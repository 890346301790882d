import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { makePrivateFolder, readJson, writeAtomic } from './fs/index.ts'

const Pause = z.object({ since: z.iso.datetime(), until: z.iso.datetime().nullable(), reason: z.string() })

/** Something does not begin meanwhile. `until` is null where a person ends it. */
export type Pause = z.infer<typeof Pause>

/** The pause in a file; undefined without one, or after its end. A file that cannot be read counts as a pause without an end. */
export function readPauseFile(file: string, now: Date): Pause | undefined {
  const stats = fs.statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const pause = Pause.safeParse(readJson(file)).data
  if (pause === undefined) return { since: stats.mtime.toISOString(), until: null, reason: `${file} cannot be read` }
  return pause.until !== null && Date.parse(pause.until) <= now.getTime() ? undefined : pause
}

export function writePauseFile(file: string, pause: Pause): void {
  makePrivateFolder(path.dirname(file))
  writeAtomic(file, `${JSON.stringify(pause)}\n`)
}

/** Returns whether there was one. */
export function endPauseFile(file: string, now: Date): boolean {
  const wasPaused = readPauseFile(file, now) !== undefined
  fs.rmSync(file, { force: true })
  return wasPaused
}
