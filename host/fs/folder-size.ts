import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '../error.ts'

const BLOCK_BYTES = 512

/**
 * The bytes of the disk that removing a folder would free. A file with a hard link from elsewhere does not count, because it
 * would stay. What cannot be read counts as empty.
 */
export function measureFolder(folder: string): number {
  const linked = new Map<number, { bytes: number; missingLinks: number }>()
  let bytes = 0
  const pending = [folder]
  for (let current = pending.pop(); current !== undefined; current = pending.pop())
    for (const name of listEntries(current)) {
      const file = path.join(current, name)
      const stats = tryLstat(file)
      if (!stats) continue
      const size = stats.blocks * BLOCK_BYTES
      if (stats.isDirectory()) pending.push(file)
      if (stats.isDirectory() || stats.nlink === 1) bytes += size
      else
        linked.set(stats.ino, { bytes: size, missingLinks: (linked.get(stats.ino)?.missingLinks ?? stats.nlink) - 1 })
    }
  for (const file of linked.values()) if (file.missingLinks === 0) bytes += file.bytes
  return bytes
}

/** A folder that is listed need not be one that is entered, and paths in it may be longer than the system allows. */
function tryLstat(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ENAMETOOLONG')) return undefined
    throw error
  }
}

function listEntries(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}
