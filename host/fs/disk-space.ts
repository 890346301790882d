import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'

/** Below this, a person is warned. A large repository takes as much in one night. */
export const LOW_SPACE_BYTES = 5e9

/** Below this, nothing new is started: a full disk stops every session of a home. */
export const MIN_SPACE_BYTES = 1e9

/** The bytes that are free for this user on the disk of a folder, which need not exist yet. */
export function measureFreeSpace(folder: string): number {
  const parent = path.dirname(folder)
  if (!fs.existsSync(folder) && parent !== folder) return measureFreeSpace(parent)
  const { bavail, bsize } = fs.statfsSync(folder)
  return bavail * bsize
}

/** Exit 10 where too little is free to start anything. */
export function requireFreeSpace(folder: string, freeBytes = measureFreeSpace(folder)): void {
  if (freeBytes >= MIN_SPACE_BYTES) return
  throw new DispatchError(`${describeFreeSpace(folder, freeBytes)}, and a session needs at least 1 GB`, {
    exitCode: exitCodes.storage,
    remedy: FREE_SPACE_REMEDY,
  })
}

/** What to do about too little space. */
export const FREE_SPACE_REMEDY =
  'Free some space: `dispatch rm --applied`, `dispatch rm --older 30d`, `dispatch prepare --prune`.'

/** `0.8 GB are free on the disk of ~/.claude-dispatch`. Pure. */
export function describeFreeSpace(folder: string, freeBytes: number): string {
  return `${(Math.floor(freeBytes / 1e8) / 10).toFixed(1)} GB are free on the disk of ${folder}`
}
