import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as giveWay } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames, writeAtomic } from '#host/fs'
import { acquireLease, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { copyDatabase } from '#host/sqlite.ts'
import { isSessionId } from '#session'
import { copySession, copyUnit, isUnchanged, type UnitCopy, type UnitSource } from './copy-unit.ts'
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
import { classifyHomeName, classifyOtherPath, classifySessionPath } from './home-contents.ts'
import { listMadePaths } from './made-paths.ts'
import { ObjectStore } from './object-store.ts'
import { readListing, removeOldRecords } from './records.ts'
import { type Found, scanTree } from './scan.ts'
import { requireBytes, SpaceCount } from './space.ts'
import { prepareTarget } from './target.ts'

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
  const paths = prepareTarget(folder, config)
  return withBackupLease(config.home, async () => {
    const names = listRecordNames(paths)
    const store = new ObjectStore(paths.objects)
    store.removeDrafts()
    const earlier = readEarlier(paths, store, names[0])
    const sources = await listUnits(config, options.hasSecrets)
    const unchanged = await findUnchanged(sources, store, earlier, paths.folder)
    const report: Omit<BackupReport, 'name' | 'seconds' | 'writtenBytes'> = {
      ...{ folder: paths.folder, sessions: 0, files: 0, bytes: 0, skipped: [], restless: [] },
    }
    for (const name of listNames(config.home).filter(name => classifyHomeName(name) === undefined))
      report.skipped.push({ path: name, reason: 'it is not known to dispatch', isLost: false })
    const units: Unit[] = []
    for (const [at, source] of sources.entries()) {
      const kept = unchanged.get(source.name)
      const copy = kept ?? (await copyOne(source, store, earlier.get(source.name), paths))
      for (const each of copy.skipped) report.skipped.push({ ...each, path: path.join(source.name, each.path) })
      if (!copy.isAtRest) report.restless.push(path.basename(source.name))
      if (isSessionUnit(source) ? isSession(copy.listing) : copy.listing.length > 0)
        units.push(addUnit(store, source.name, copy.listing))
      options.onProgress?.(at + 1, sources.length)
      if (kept === undefined) await giveWay()
    }
    const record = createRecord(paths.homeId, config.home, options.hasSecrets, units)
    await store.flush()
    const name = `${String(Number((names[0] ?? '0').slice(0, 6)) + 1).padStart(6, '0')}-${record.createdAt.replaceAll(':', '-')}.json`
    writeAtomic(path.join(paths.records, name), serializeRecord(record))
    removeOldRecords(paths, store, options.keptCount)
    report.sessions = units.filter(unit => unit.name.startsWith(SESSIONS)).length
    report.files = units.reduce((sum, unit) => sum + unit.files, 0)
    report.bytes = units.reduce((sum, unit) => sum + unit.bytes, 0)
    const seconds = Math.round(performance.now() - startedAtMs) / 1000
    return { ...report, name, writtenBytes: store.writtenBytes, seconds }
  })
}

// --- internal ---

const SESSIONS = 'workspace/'

const isSessionUnit = ({ name }: UnitSource) => name.startsWith(SESSIONS)

/** One that is just being opened has no log yet, and one that was removed meanwhile has nothing. */
function isSession(listing: Listing): boolean {
  const isThere = (pattern: RegExp) => listing.some(entry => entry.kind === 'file' && pattern.test(entry.path))
  return isThere(/^session\.json$/) && isThere(/^(events\.jsonl$|evidence\/)/)
}

async function withBackupLease<Result>(home: string, work: () => Promise<Result>): Promise<Result> {
  const folder = path.join(home, 'backup-lease')
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(folder, self))
  if (!lease)
    throw new DispatchError('another backup of this home runs', {
      exitCode: exitCodes.conflict,
      remedy: 'Wait until it has ended.',
    })
  try {
    return await work()
  } finally {
    releaseLease(folder, lease)
  }
}

/** The listings of the newest backup, by unit. What it names and is still there need not be copied. */
function readEarlier(paths: BackupPaths, store: ObjectStore, name: string | undefined): Map<string, Listing> {
  const earlier = new Map<string, Listing>()
  if (name === undefined) return earlier
  const present = store.list()
  const add = (hash: string) => present.has(hash) && store.known.add(hash)
  for (const unit of readRecordIfWhole(paths, name)?.units ?? []) {
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

async function listUnits(config: Config, hasSecrets: boolean): Promise<UnitSource[]> {
  const made = await listMadePaths(config)
  const ids = listNames(config.workspace).filter(isSessionId) // Also of those that cannot be read.
  const sessions = ids.map((id): UnitSource => {
    const madeHere = made(id)
    const root = path.join(config.workspace, id)
    return { name: `${SESSIONS}${id}`, root, leaveOut: file => classifySessionPath(file, madeHere) }
  })
  const kinds = hasSecrets ? ['copy', 'secret'] : ['copy']
  const others = listNames(config.home)
    .filter(name => name !== 'workspace' && kinds.includes(classifyHomeName(name) ?? ''))
    .map(
      (name): UnitSource => ({
        ...{ name, root: path.join(config.home, name) },
        leaveOut: file => classifyOtherPath(name, file),
      }),
    )
  return [...sessions, ...others]
}

async function copyOne(
  source: UnitSource,
  store: ObjectStore,
  earlier: Listing | undefined,
  { folder }: BackupPaths,
): Promise<UnitCopy> {
  if (isSessionUnit(source)) return copySession(source, store, earlier)
  if (source.name !== 'queue.db') return copyUnit(source, store, earlier)
  const copy = path.join(folder, `.tmp-queue-${process.pid}`)
  try {
    fs.rmSync(copy, { force: true })
    await copyDatabase(source.root, copy)
    return copyUnit({ ...source, root: copy }, store)
  } finally {
    fs.rmSync(copy, { force: true })
  }
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
