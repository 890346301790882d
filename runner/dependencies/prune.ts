import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { deleteFolder, listNames, measureFolder, readJson } from '#host/fs'
import { acquireLease, isLeaseFree, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { DAY_MS } from '#host/time.ts'
import { resolveInHome } from '#host/toolchains'
import { listSessions } from '#session'
import { readLog } from '#session/log'
import { CacheRecord, getRecordFile, installLeaseOptions } from './cache.ts'

/** A folder in which install commands ran. */
export interface Installation {
  key: string
  folder: string
  /** `unfinished`: the commands failed or were interrupted. */
  state: 'ready' | 'unfinished' | 'being made'
  commands: string[]
  /** The paths that the commands made, from the top of a tree. */
  made: string[]
  bytes: number
  usedAtMs: number
  /** Does a session that is not closed use it? */
  isUsed: boolean
}

/** Installations that no session has used for this long are removed, and from the oldest on those that are too many or too large. */
const MAX_AGE_MS = 30 * DAY_MS
const MAX_INSTALLATION_COUNT = 20
const MAX_TOTAL_BYTES = 10e9

/** Every installation of this home, those that were used last first. */
export async function listInstallations(config: Pick<Config, 'home' | 'workspace'>): Promise<Installation[]> {
  const cache = path.join(config.home, 'prepared')
  const keys = listNames(cache).filter(key => listContents(path.join(cache, key)).length > 0)
  const found = await Promise.all(
    keys.map(async key => {
      const folder = path.join(cache, key)
      const record = readRecord(folder)
      const usedAtMs = readTimeMs(record ? getRecordFile(folder) : folder) ?? 0
      // In this order: a session marks the time and records the use under the claim, so one that is not seen now changes the time.
      const isBeingMade = !(await isLeaseFree(path.join(folder, CLAIM), installLeaseOptions))
      return {
        key,
        folder,
        state: isBeingMade ? 'being made' : record ? 'ready' : 'unfinished',
        commands: record?.commands ?? [],
        made: record?.made ?? [],
        bytes: record?.bytes ?? measureFolder(folder),
        usedAtMs,
      } as const
    }),
  )
  const usedKeys = await listUsedKeys(config)
  return found.map(each => ({ ...each, isUsed: usedKeys.has(each.key) })).sort((a, b) => b.usedAtMs - a.usedAtMs)
}

/** Remove what is unfinished, old, or beyond the bounds. */
export async function pruneInstallations(config: Pick<Config, 'home' | 'workspace'>): Promise<void> {
  for (const installation of selectRemovable(await listInstallations(config), Date.now()))
    await removeIfAsListed(installation)
}

/**
 * Remove those of the listed installations that no open session used, and that nothing has used since they were listed: the ones before
 * may have taken minutes. Returns what was removed.
 */
export async function removeUnusedInstallations(listed: Installation[]): Promise<Installation[]> {
  const removed: Installation[] = []
  for (const installation of listed)
    if (!installation.isUsed && (await removeIfAsListed(installation))) removed.push(installation)
  return removed
}

/** Choose what is removed, from all installations, the one used last first. What a session uses always stays. Pure. */
export function selectRemovable(installations: Installation[], nowMs: number): Installation[] {
  let count = 0
  let bytes = 0
  return installations.filter(({ state, isUsed, usedAtMs, bytes: ownBytes }) => {
    if (state === 'unfinished') return true
    count++
    bytes += ownBytes
    if (isUsed || state === 'being made') return false
    return nowMs - usedAtMs > MAX_AGE_MS || count > MAX_INSTALLATION_COUNT || bytes > MAX_TOTAL_BYTES
  })
}

/** Remove an installation, but not the claim on its folder, which this process holds. The record goes first, as nothing is whole then. */
export function removeInstallation(folder: string): void {
  fs.rmSync(getRecordFile(folder), { force: true })
  for (const name of listContents(folder)) deleteFolder(path.join(folder, name))
}

/** Remove everything else from the tree in which the commands ran: other trees have these files of their own. */
export function keepOnlyMade(tree: string, made: string[]): void {
  const clean = (folder: string) => {
    fs.chmodSync(path.join(tree, folder), fs.statSync(path.join(tree, folder)).mode | OWNER_MODE)
    for (const entry of fs.readdirSync(path.join(tree, folder), { withFileTypes: true })) {
      const name = path.posix.join(folder, entry.name)
      if (made.includes(name)) continue
      if (entry.isDirectory() && made.some(other => other.startsWith(`${name}/`))) clean(name)
      else deleteFolder(path.join(tree, name))
    }
  }
  clean('')
}

/** Remove what package tools downloaded only to install it: everything of it is in the tree now. */
export function removeDownloads(home: string): void {
  for (const file of downloads.flatMap(name => resolveInHome(home, name) ?? [])) deleteFolder(file)
}

// --- internal ---

const OWNER_MODE = 0o700

const CLAIM = 'claim'

function listContents(folder: string): string[] {
  return listNames(folder).filter(name => name !== CLAIM)
}

async function removeIfAsListed(installation: Installation): Promise<boolean> {
  const { folder } = installation
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(path.join(folder, CLAIM), self, installLeaseOptions))
  if (!lease) return false
  try {
    if (!isAsListed(installation)) return false
    removeInstallation(folder)
    return true
  } finally {
    releaseLease(path.join(folder, CLAIM), lease)
  }
}

/** Has nothing finished or used it since it was listed? To be asked under the claim, under which a session marks that it uses it. */
function isAsListed({ folder, state, usedAtMs }: Installation): boolean {
  if (state === 'unfinished') return readRecord(folder) === undefined
  return state === 'ready' && readTimeMs(getRecordFile(folder)) === usedAtMs
}

function readRecord(folder: string): CacheRecord | undefined {
  return CacheRecord.safeParse(readJson(getRecordFile(folder))).data
}

function readTimeMs(file: string): number | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs
}

const downloads = [
  ...['.npm', '.cache/pip', '.cache/yarn', '.cache/pnpm', '.cache/composer', '.composer/cache'],
  ...['pip', 'Yarn', 'pnpm', 'composer'].map(name => `Library/Caches/${name}`),
  // What uv and Poetry installed is in an environment in the tree. `uv run` uses that as it is (UV_NO_SYNC).
  '.cache/uv',
  ...['.cache/pypoetry', 'Library/Caches/pypoetry'].flatMap(folder => [`${folder}/cache`, `${folder}/artifacts`]),
  ...['.local/share/pnpm/store', 'Library/pnpm/store'], // Its files are in node_modules as well, by links.
]

/** The keys of the installations that sessions use which have not ended. */
async function listUsedKeys(config: Pick<Config, 'home' | 'workspace'>): Promise<Set<string>> {
  const { listOpenSessions } = await import('#session/search-index') // A runner that installs nothing needs no index.
  const leftOut = new Set<string>()
  const open = (await listOpenSessions(config, { onLeftOut: id => leftOut.add(id) })).map(({ session }) => session)
  const unknown = leftOut.size === 0 ? [] : listSessions(config.workspace).filter(({ id }) => leftOut.has(id))
  const logs = [...open, ...unknown].map(({ paths }) => readLog(paths.events).events)
  return new Set(logs.flat().flatMap(event => (event.type === 'dependencies.ended' ? [event.cacheKey] : [])))
}
