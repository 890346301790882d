import path from 'node:path'
import { endPauseFile, type Pause, readPauseFile, writePauseFile } from '#host/pause-file.ts'

export type { Pause }

/** The pause of a home, in which no session starts, by whatever way; undefined if it is not paused. */
export function readPause(home: string, now: Date): Pause | undefined {
  return readPauseFile(getPauseFile(home), now)
}

export function writePause(home: string, pause: Pause): void {
  writePauseFile(getPauseFile(home), pause)
}

/** Returns whether there was one. */
export function endPause(home: string, now: Date): boolean {
  return endPauseFile(getPauseFile(home), now)
}

// --- internal ---

function getPauseFile(home: string): string {
  return path.join(home, 'paused.json')
}
