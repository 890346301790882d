import { DispatchError, exitCodes } from '#host/error.ts'
import { describeFreeSpace, measureFreeSpace } from '#host/fs'
import type { UnitSource } from './copy-unit.ts'
import type { Listing } from './format.ts'
import { scanTree } from './scan.ts'

/** Left free for the listings, and for other programs. */
const RESERVE_BYTES = 32 << 20

/** Exit 10 where what has changed since the earlier backup does not fit. Several links to one file count once. */
export function requireSpace(sources: UnitSource[], earlier: Map<string, Listing>, folder: string): void {
  const inodes = new Set<string>()
  let bytes = 0
  for (const { name, root, leaveOut } of sources) {
    const known = new Map(earlier.get(name)?.map(entry => [entry.path, entry]))
    for (const found of scanTree(root, leaveOut, () => undefined)) {
      if (found.kind !== 'file' || inodes.has(found.inode)) continue
      inodes.add(found.inode)
      const before = known.get(found.path)
      const isKnown = before?.kind === 'file' && before.stamp === found.stamp && found.stamp !== ''
      if (!isKnown) bytes += found.size
    }
  }
  requireBytes(bytes, folder)
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
