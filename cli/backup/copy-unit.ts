import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno } from '#host/error.ts'
import { readStamp, toStorageError } from '#host/fs'
import type { FileEntry, Listing } from './format.ts'
import { type LeftOut, mayBeShared } from './home-contents.ts'
import type { ObjectStore } from './object-store.ts'
import { type Found, type FoundFile, resolveEntry, type Skipped, scanTree } from './scan.ts'

/** A part of a home that is to be copied. */
export interface UnitSource {
  /** `workspace/<sid>`, or a name at the top of the home. */
  name: string
  /** The folder or the file. */
  root: string
  leaveOut: (path: string) => LeftOut
}

export interface UnitCopy {
  listing: Listing
  skipped: Skipped[]
  /** False for a session that was written all the time, so that its copy may hold a part of a step. */
  isAtRest: boolean
}

/**
 * Is a unit, as it was found, exactly what was listed before? Then it need not be looked at again: what was a whole then is one now.
 */
export function isUnchanged(unit: string, found: Found[], earlier: Listing | undefined): boolean {
  return found.length === earlier?.length && found.every((each, at) => isSame(unit, each, earlier[at]))
}

/** Copy a unit. A file that is as it was in `earlier`, whose content the store still has, is not read. */
export function copyUnit(source: UnitSource, store: ObjectStore, earlier: Listing = []): UnitCopy {
  return { ...copyOnce(source, store, indexFiles(earlier)), isAtRest: true }
}

/**
 * Copy a session as it was at one moment, as far as its record goes: the log may not change while the rest is copied, and no file
 * that the log is about to name may be newer than the log. Otherwise what has changed is copied again.
 */
export async function copySession(source: UnitSource, store: ObjectStore, earlier: Listing = []): Promise<UnitCopy> {
  let known = indexFiles(earlier)
  const log = path.join(source.root, 'events.jsonl')
  for (let tries = 1; ; tries++) {
    const before = readStamp(log)
    const copy = copyOnce(source, store, known)
    const isAtRest = before === readStamp(log) && !hasPendingRecord(copy.listing)
    if (isAtRest || tries === MAX_TRIES) return { ...copy, isAtRest }
    known = indexFiles(copy.listing)
    await sleep(PAUSE_MS)
  }
}

// --- internal ---

const MAX_TRIES = 12
const PAUSE_MS = 100

/** What the runner writes just before the event that names it. */
const recordPattern = /^(verdict\.(json|md)|evidence\/(verdict-\d+|question-\d+|round-\d+-[\w.-]+)\.json)$/

function isSame(unit: string, found: Found, before: Listing[number] | undefined): boolean {
  if (before?.kind !== found.kind || before.path !== found.path) return false
  if (found.kind === 'link' || before.kind === 'link')
    return 'target' in before && 'target' in found && before.target === found.target
  if (before.mode !== found.mode || before.mtimeMs !== found.mtimeMs) return false
  if (found.kind === 'folder' || before.kind === 'folder') return true
  const isShared = found.linkCount > 1 && mayBeShared(unit, found.path)
  return found.stamp !== '' && found.stamp === before.stamp && isShared === (before.isShared ?? false)
}

function indexFiles(listing: Listing): Map<string, FileEntry> {
  return new Map(listing.flatMap(entry => (entry.kind === 'file' ? [[entry.path, entry]] : [])))
}

function copyOnce(
  { name, root, leaveOut }: UnitSource,
  store: ObjectStore,
  known: Map<string, FileEntry>,
): Omit<UnitCopy, 'isAtRest'> {
  const skipped: Skipped[] = []
  const listing: Listing = []
  const visit = (found: Found) => {
    const entry = found.kind === 'file' ? copyFile(name, root, found, store, known, skipped) : found
    if (entry !== undefined) listing.push(entry)
  }
  scanTree(root, leaveOut, { visit, skip: each => skipped.push(each) })
  return { listing, skipped }
}

function copyFile(
  unit: string,
  root: string,
  { linkCount, inode, ...found }: FoundFile,
  store: ObjectStore,
  known: Map<string, FileEntry>,
  skipped: Skipped[],
): FileEntry | undefined {
  const shared = linkCount > 1 && mayBeShared(unit, found.path) ? { isShared: true } : {}
  const before = known.get(found.path)
  if (before !== undefined && found.stamp !== '' && before.stamp === found.stamp && store.known.has(before.sha256))
    return toEntry(found, before, shared)
  const file = resolveEntry(root, found.path)
  try {
    const added = found.path === 'events.jsonl' ? addLog(file, store) : store.addFile(file)
    return added && toEntry(found, added, shared)
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EIO', 'ENAMETOOLONG')) throw toStorageError(`${file}`, error)
    skipped.push({
      path: found.path,
      reason: `it cannot be read (${error instanceof Error && 'code' in error ? error.code : ''})`,
      isLost: true,
    })
    return undefined
  }
}

/** Its fields in one order, so that what is the same has the same hash. */
function toEntry(
  { kind, path: name, mode, mtimeMs, stamp }: Omit<FoundFile, 'linkCount' | 'inode'>,
  { size, sha256 }: { size: number; sha256: string },
  shared: { isShared?: boolean },
): FileEntry {
  return { kind, path: name, mode, mtimeMs, size, sha256, stamp, ...shared }
}

/** Up to the end of the last whole line: another process may just be writing the next one. */
function addLog(file: string | Buffer, store: ObjectStore): { sha256: string; size: number } | undefined {
  let bytes: Buffer
  try {
    if (!fs.lstatSync(file).isFile()) return undefined
    bytes = fs.readFileSync(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
  return { sha256: store.addBytes(whole), size: whole.length }
}

/** Is there a record that is newer than the log? Its event is about to be written, unless the runner is dead. */
function hasPendingRecord(listing: Listing): boolean {
  const log = listing.find(entry => entry.path === 'events.jsonl')
  if (log?.kind !== 'file') return false
  return listing.some(entry => entry.kind === 'file' && recordPattern.test(entry.path) && entry.mtimeMs > log.mtimeMs)
}
