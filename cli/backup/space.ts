import { DispatchError, exitCodes } from '#host/error.ts'
import { describeFreeSpace, measureFreeSpace } from '#host/fs'
import type { Found } from './scan.ts'

/** Left free for the listings, and for other programs. */
const RESERVE_BYTES = 32 << 20

/** How many bytes have to be copied of what was found. Several links to one file count once. */
export class SpaceCount {
  bytes = 0
  private readonly inodes = new Set<string>()

  add(found: Found[]): void {
    for (const each of found) {
      if (each.kind !== 'file' || this.inodes.has(each.inode)) continue
      this.inodes.add(each.inode)
      this.bytes += each.size
    }
  }
}

/** Exit 10 where so many bytes do not fit into a folder. */
export function requireBytes(bytes: number, folder: string): void {
  const free = measureFreeSpace(folder)
  if (free >= bytes + (bytes > 0 ? RESERVE_BYTES : 0)) return
  throw new DispatchError(`${describeFreeSpace(folder, free)}, and this needs ${Math.ceil(bytes / 1e6)} MB`, {
    exitCode: exitCodes.storage,
    remedy: 'Nothing was copied. Free some space there, or name a folder on another disk.',
  })
}
