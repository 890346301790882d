import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as giveWay } from 'node:timers/promises'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import type { BackupPaths, BackupRecord, Listing, Unit } from './format.ts'
import { isUnitName } from './home-contents.ts'
import { hashFile, ObjectStore } from './object-store.ts'
import { readListing } from './records.ts'

/** What is wrong with a file of a backup: which one it is, and what of the home is lost with it. */
export interface BackupDamage {
  file: string
  problem: string
  /** A path in the home. */
  holds: string
}

/** The units of a backup with their listings, without those that are damaged. */
export interface CheckedBackup {
  units: (Unit & { entries: Listing })[]
  damage: BackupDamage[]
  /** How many contents were read, and how many bytes they have. */
  objects: number
  bytes: number
}

/** Read every file that a backup needs, and compare it with its hash. `onProgress` counts contents. */
export async function verifyBackup(
  paths: BackupPaths,
  record: BackupRecord,
  onProgress?: (done: number, all: number) => void,
): Promise<CheckedBackup> {
  const store = new ObjectStore(paths.objects)
  const checked: CheckedBackup = { units: [], damage: [], objects: 0, bytes: 0 }
  const wanted = new Map<string, { size: number; holds: string }>()
  const names = new Set<string>()
  for (const unit of record.units) {
    const entries = readListing(store, unit.listing)
    const problem =
      entries === undefined ? describeDamage(store.getFile(unit.listing)) : findOddUnit(unit.name, entries, names)
    names.add(unit.name)
    if (entries === undefined || problem !== undefined) {
      checked.damage.push({ file: store.getFile(unit.listing), problem: problem ?? '', holds: unit.name })
      continue
    }
    checked.units.push({ ...unit, entries })
    for (const entry of entries)
      if (entry.kind === 'file' && !wanted.has(entry.sha256))
        wanted.set(entry.sha256, { size: entry.size, holds: path.join(unit.name, entry.path) })
  }
  for (const [hash, { size, holds }] of wanted) {
    const file = store.getFile(hash)
    const problem = findProblem(file, hash, size)
    if (problem !== undefined) checked.damage.push({ file, problem, holds })
    checked.objects++
    checked.bytes += size
    onProgress?.(checked.objects, wanted.size)
    if (checked.objects % 100 === 0) await giveWay()
  }
  return checked
}

/** Exit 13 where anything of a backup is damaged. */
export function requireWhole({ damage }: CheckedBackup): void {
  const [first] = damage
  if (first === undefined) return
  const more = damage.length > 1 ? `, and ${damage.length - 1} more` : ''
  throw new DispatchError(`${first.file} ${first.problem}; it holds ${first.holds}${more}`, {
    exitCode: exitCodes.integrity,
    remedy:
      'Delete the damaged file and run `dispatch backup` again, which copies it again where the home still has it. To use an earlier backup: --at.',
  })
}

// --- internal ---

function findProblem(file: string, hash: string, size: number): string | undefined {
  try {
    const found = hashFile(file)
    return found.hash === hash && found.size === size ? undefined : 'is damaged: it is not what was written'
  } catch (error) {
    if (!fs.existsSync(file)) return 'is missing'
    const known = toStorageError(file, error)
    return known instanceof DispatchError ? 'cannot be read' : `cannot be read: ${error}`
  }
}

function describeDamage(file: string): string {
  return fs.existsSync(file) ? 'is damaged: it is not what was written' : 'is missing'
}

/** Two units of one name could each add to what the other has written, such as below its link. */
function findOddUnit(name: string, entries: Listing, earlier: ReadonlySet<string>): string | undefined {
  if (!isUnitName(name)) return 'names what dispatch would not back up'
  if (earlier.has(name)) return `is the second that names ${name}`
  return findOddEntry(entries)
}

/** A path that leads out of its unit, or through something that is no folder, is never written. */
function findOddEntry(entries: Listing): string | undefined {
  const folders = new Set<string>()
  const seen = new Set<string>()
  for (const { path: name, kind } of entries) {
    const parent = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : ''
    const isTop = name === ''
    const isOdd = name.split('/').some(part => part === '..' || part === '.' || (part === '' && !isTop))
    if (isTop && kind === 'link') return 'is a link, which dispatch would not back up'
    if (isOdd || name.includes('\0') || seen.has(name) || (!isTop && !folders.has(parent)))
      return `names the odd path ${JSON.stringify(name)}`
    seen.add(name)
    if (kind === 'folder') folders.add(name)
  }
  return undefined
}
