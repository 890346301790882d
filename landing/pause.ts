import path from 'node:path'
import { endPauseFile, type Pause, readPauseFile, writePauseFile } from '#host/pause-file.ts'

/** The pause of a repository, in which nothing lands; undefined without one. */
export function readLandingPause(folder: string, now: Date): Pause | undefined {
  return readPauseFile(getPauseFile(folder), now)
}

export function writeLandingPause(folder: string, pause: Pause): void {
  writePauseFile(getPauseFile(folder), pause)
}

/** Returns whether there was one. */
export function endLandingPause(folder: string, now: Date): boolean {
  return endPauseFile(getPauseFile(folder), now)
}

// --- internal ---

function getPauseFile(folder: string): string {
  return path.join(folder, 'paused.json')
}
