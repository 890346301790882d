import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readBytesIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseJson } from '#host/json.ts'
import { UsageError } from '../command.ts'
import { type BackupPaths, type BackupRecord, Listing, listRecordNames, readRecord } from './format.ts'
import type { ObjectStore } from './object-store.ts'

/** A listing by its hash; undefined if it is missing or damaged. */
export function readListing(store: ObjectStore, hash: string): Listing | undefined {
  const known = store.listings.get(hash)
  if (known !== undefined) return known
  const bytes = readBytesIfPresent(store.getFile(hash))
  if (bytes === undefined || sha256(bytes) !== hash) return undefined
  const listing = Listing.safeParse(parseJson(bytes.toString('utf8'))).data
  if (listing !== undefined) store.listings.set(hash, listing)
  return listing
}

/** The newest backup, or the newest whose name contains `at`, such as a date. Exit 4 without one, 13 for a damaged one. */
export function findRecord(paths: BackupPaths, at?: string): { name: string; record: BackupRecord } {
  const names = listRecordNames(paths)
  const [name] = at === undefined ? names : names.filter(each => each.includes(at))
  if (name !== undefined) return { name, record: readRecord(paths, name) }
  if (at !== undefined && names.length > 0)
    throw new UsageError(`no backup has "${at}" in its name`, `There are: ${names.slice(0, 7).join(', ')}`)
  throw new DispatchError(`${paths.folder} has no complete backup`, {
    exitCode: exitCodes.notFound,
    remedy: 'Run `dispatch backup` again.',
  })
}

/**
 * Remove all but the newest backups, and the objects that none of the others names. What is as young as `begunAtMs`, by the clock of
 * that disk, stays: another process may just have written it.
 */
export function removeOldRecords(paths: BackupPaths, store: ObjectStore, keptCount: number, begunAtMs: number): void {
  const names = listRecordNames(paths)
  for (const name of names.slice(keptCount)) fs.rmSync(path.join(paths.records, name), { force: true })
  const listings = new Set<string>()
  for (const name of names.slice(0, keptCount)) {
    const units = tryRead(paths, name)
    if (units === undefined) return // It cannot be said what a damaged backup needs.
    for (const unit of units) listings.add(unit.listing)
  }
  const needed = new Set(listings)
  for (const hash of listings) {
    const listing = readListing(store, hash)
    if (listing === undefined) return
    for (const entry of listing) if (entry.kind === 'file') needed.add(entry.sha256)
  }
  for (const hash of store.list()) if (!needed.has(hash)) store.remove(hash, begunAtMs)
}

// --- internal ---

function tryRead(paths: BackupPaths, name: string): BackupRecord['units'] | undefined {
  try {
    return readRecord(paths, name).units
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
