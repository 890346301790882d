import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as giveWay } from 'node:timers/promises'
import { type Config, prepareHome } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames, writeAtomic } from '#host/fs'
import { isUnchanged, type UnitCopy, type UnitSource } from './copy-unit.ts'
import {
  type BackupPaths,
  type BackupRecord,
  FORMAT_VERSION,
  type Listing,
  listRecordNames,
  readRecord,
  serializeRecord,
  type Unit,
} from './format.ts'
import { classifyHomeName } from './home-contents.ts'
import { writeAlone } from './lease.ts'
import { ObjectStore } from './object-store.ts'
import { readListing, removeOldRecords } from './records.ts'
import { type Found, scanTree } from './scan.ts'
import { requireBytes, SpaceCount } from './space.ts'
import { isOpenToOthers, prepareTarget, readHomeId } from './target.ts'
import { copyOne, explainNoUnit, isSessionUnit, listUnits, type NamedCopy } from './units.ts'

export interface BackupOptions {
  /** Also `.env` and the kept token. */
  hasSecrets: boolean
  /** How many backups stay in the folder. */
  keptCount: number
  onProgress?: (done: number, all: number) => void
}

/** What a backup did. Sizes are in bytes. */
export interface BackupReport {
  /** The name of its file. */
  name: string
  folder: string
  sessions: number
  files: number
  bytes: number
  /** What was written now; the rest was there. */
  writtenBytes: number
  seconds: number
  /** What is not in it, by its path in the home. `isLost` if it should be. */
  skipped: { path: string; reason: string; isLost: boolean }[]
  /** The disk has no modes, so that other users may read the folder. */
  isOpenToOthers: boolean
  /** Sessions that were written all the time. */
  restless: string[]
}

/**
 * Copy all of a home that cannot be made again into a folder, as a further backup; what the folder has already is not copied again.
 * The home may be in use. Until the new backup is complete, the earlier ones are untouched. Exit 2 for a folder that cannot be used,
 * 5 for one of another home, or while another backup runs, 10 where there is too little space.
 */
export async function backUp(config: Config, folder: string, options: BackupOptions): Promise<BackupReport> {
  const startedAtMs = performance.now()
  prepareHome(config) // One that nothing has used yet is empty, and no failure.
  const paths = prepareTarget(folder, config)
  return writeAlone(paths, path.join(config.home, 'backup-lease'), async () => {
    const names = listRecordNames(paths)
    const store = new ObjectStore(paths.objects)
    const before = names[0] === undefined ? undefined : readRecordIfWhole(paths, names[0])
    refuseTwin(config.home, paths.homeId, before)
    store.removeDrafts()
    const begunAtMs = store.readClock()
    const earlier = readEarlier(store, before)
    const { sources, lost } = await listUnits(config, options.hasSecrets)
    const unchanged = await findUnchanged(sources, store, earlier, paths.folder)
    const report: Omit<BackupReport, 'name' | 'seconds' | 'writtenBytes'> = {
      ...{ folder: paths.folder, sessions: 0, files: 0, bytes: 0, skipped: lost, restless: [], isOpenToOthers: false },
    }
    for (const name of listNames(config.home).filter(name => classifyHomeName(name) === undefined))
      report.skipped.push({ path: name, reason: 'it is not known to dispatch', isLost: false })
    const units: Unit[] = []
    for (const [at, source] of sources.entries()) {
      const kept = unchanged.get(source.name)
      const copies = kept
        ? [{ name: source.name, ...kept }]
        : await copyOne(source, store, earlier.get(source.name), paths)
      for (const copy of copies) addCopy(copy, { store, units, report })
      options.onProgress?.(at + 1, sources.length)
      if (kept === undefined) await giveWay()
    }
    const record = createRecord(paths.homeId, config.home, options.hasSecrets, units)
    await store.flush()
    const name = `${String(Number((names[0] ?? '0').slice(0, 6)) + 1).padStart(6, '0')}-${record.createdAt.replaceAll(':', '-')}.json`
    writeAtomic(path.join(paths.records, name), serializeRecord(record))
    removeOldRecords(paths, store, options.keptCount, begunAtMs)
    report.sessions = units.filter(isSessionUnit).length
    report.files = units.reduce((sum, unit) => sum + unit.files, 0)
    report.bytes = units.reduce((sum, unit) => sum + unit.bytes, 0)
    report.isOpenToOthers = isOpenToOthers(paths)
    const seconds = Math.round(performance.now() - startedAtMs) / 1000
    return { ...report, name, writtenBytes: store.writtenBytes, seconds }
  })
}

// --- internal ---

/**
 * Of two homes with one id, such as a home and a copy of it, one would remove the backups of the other. A home that was moved is the
 * only one with its id, also where a link is in its old place.
 */
function refuseTwin(home: string, homeId: string, before: BackupRecord | undefined): void {
  if (before === undefined || readHomeId(before.home) !== homeId) return
  if (fs.realpathSync(before.home) === fs.realpathSync(home)) return
  throw new DispatchError(
    `the folder has the backups of ${before.home}, which is still there; ${home} is a copy of it`,
    {
      exitCode: exitCodes.conflict,
      remedy: `Nothing was written. Name another folder, and delete ${home}/home-id, so that the copy gets an id of its own.`,
    },
  )
}

/** The listings of the newest backup, by unit. What it names and is still there need not be copied. */
function readEarlier(store: ObjectStore, before: BackupRecord | undefined): Map<string, Listing> {
  const earlier = new Map<string, Listing>()
  if (before === undefined) return earlier
  const present = store.list()
  const add = (hash: string) => present.has(hash) && store.known.add(hash)
  for (const unit of before.units) {
    const listing = present.has(unit.listing) ? readListing(store, unit.listing) : undefined
    if (listing === undefined) continue
    add(unit.listing)
    for (const entry of listing) if (entry.kind === 'file') add(entry.sha256)
    earlier.set(unit.name, listing)
  }
  return earlier
}

/**
 * Look at all units once. Those that are as they were before are copies already; the rest must fit into the folder. What is skipped
 * is told again each time.
 */
async function findUnchanged(
  sources: UnitSource[],
  store: ObjectStore,
  earlier: Map<string, Listing>,
  folder: string,
): Promise<Map<string, UnitCopy>> {
  const unchanged = new Map<string, UnitCopy>()
  const space = new SpaceCount()
  for (const { name, root, leaveOut } of sources) {
    const [found, skipped]: [Found[], UnitCopy['skipped']] = [[], []]
    scanTree(root, leaveOut, { visit: each => found.push(each), skip: each => skipped.push(each) })
    const listing = earlier.get(name)
    const isWhole = listing?.every(entry => entry.kind !== 'file' || store.known.has(entry.sha256))
    if (listing && isWhole && isUnchanged(name, found, listing))
      unchanged.set(name, { listing, skipped, isAtRest: true })
    else space.add(found)
    await giveWay()
  }
  requireBytes(space.bytes, folder)
  return unchanged
}

/** After a damaged backup, everything is copied again. */
function readRecordIfWhole(paths: BackupPaths, name: string): BackupRecord | undefined {
  try {
    return readRecord(paths, name)
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.integrity) return undefined
    throw error
  }
}

/** Note a copy in the report, and in the backup if there is something to keep. */
function addCopy(
  copy: NamedCopy,
  { store, units, report }: { store: ObjectStore; units: Unit[]; report: Pick<BackupReport, 'skipped' | 'restless'> },
): void {
  for (const each of copy.skipped) report.skipped.push({ ...each, path: path.join(copy.name, each.path) })
  const problem = explainNoUnit(copy)
  if (problem === 'nothing') return
  if (units.some(({ name }) => name === copy.name)) {
    report.skipped.push({ path: copy.name, reason: 'the damaged queue has this name in the backup', isLost: true })
    return
  }
  if (problem !== undefined) {
    report.skipped.push({ path: copy.name, ...problem })
    return
  }
  if (!copy.isAtRest) report.restless.push(path.basename(copy.name))
  units.push(addUnit(store, copy.name, copy.listing))
}

function addUnit(store: ObjectStore, name: string, listing: Listing): Unit {
  const files = listing.filter(entry => entry.kind === 'file')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const hash = store.addBytes(Buffer.from(JSON.stringify(listing)))
  store.listings.set(hash, listing)
  return { name, listing: hash, files: files.length, bytes }
}

function createRecord(homeId: string, home: string, hasSecrets: boolean, units: Unit[]): BackupRecord {
  return { format: FORMAT_VERSION, homeId, home, createdAt: new Date().toISOString(), hasSecrets, units }
}
