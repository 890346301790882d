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
export async function listInstallations({
  home,
  workspace,
}: Pick<Config, 'home' | 'workspace'>): Promise<Installation[]> {
  const cache = path.join(home, 'prepared')
  const usedKeys = listUsedKeys(workspace)
  const keys = listNames(cache).filter(key => listContents(path.join(cache, key)).length > 0)
  const installations = keys.map(async (key): Promise<Installation> => {
    const folder = path.join(cache, key)
    const record = CacheRecord.safeParse(readJson(getRecordFile(folder))).data
    const isBeingMade = !(await isLeaseFree(path.join(folder, CLAIM), installLeaseOptions))
    return {
      key,
      folder,
      state: isBeingMade ? 'being made' : record ? 'ready' : 'unfinished',
      commands: record?.commands ?? [],
      made: record?.made ?? [],
      bytes: record?.bytes ?? measureFolder(folder),
      usedAtMs: fs.statSync(record ? getRecordFile(folder) : folder, { throwIfNoEntry: false })?.mtimeMs ?? 0,
      isUsed: usedKeys.has(key),
    }
  })
  return (await Promise.all(installations)).sort((a, b) => b.usedAtMs - a.usedAtMs)
}

/** Remove what is unfinished, old, or beyond the bounds. */
export async function pruneInstallations(config: Pick<Config, 'home' | 'workspace'>): Promise<void> {
  for (const installation of selectRemovable(await listInstallations(config), Date.now()))
    await removeUnlessClaimed(installation)
}

/** Remove those of the installations that no open session uses. Returns what was removed. */
export async function removeUnusedInstallations(
  config: Pick<Config, 'home' | 'workspace'>,
  { keys }: { keys: string[] },
): Promise<Installation[]> {
  const removed: Installation[] = []
  for (const installation of await listInstallations(config))
    if (keys.includes(installation.key) && !installation.isUsed && (await removeUnlessClaimed(installation)))
      removed.push(installation)
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

async function removeUnlessClaimed({ folder }: Installation): Promise<boolean> {
  const self = await identify(process.pid)
  const lease = self && (await acquireLease(path.join(folder, CLAIM), self, installLeaseOptions))
  if (!lease) return false
  try {
    removeInstallation(folder)
    return true
  } finally {
    releaseLease(path.join(folder, CLAIM), lease)
  }
}

const downloads = [
  ...['.npm', '.cache/pip', '.cache/yarn', '.cache/pnpm', '.cache/composer', '.composer/cache'],
  ...['pip', 'Yarn', 'pnpm', 'composer'].map(name => `Library/Caches/${name}`),
  // What uv and Poetry installed is in an environment in the tree. `uv run` uses that as it is (UV_NO_SYNC).
  '.cache/uv',
  ...['.cache/pypoetry', 'Library/Caches/pypoetry'].flatMap(folder => [`${folder}/cache`, `${folder}/artifacts`]),
  ...['.local/share/pnpm/store', 'Library/pnpm/store'], // Its files are in node_modules as well, by links.
]

/** The keys of the installations that sessions use which are not closed. */
function listUsedKeys(workspace: string): Set<string> {
  const logs = listSessions(workspace).map(({ paths }) => readLog(paths.events).events)
  const open = logs.filter(events => !events.some(({ type }) => type === 'session.closed' || type === 'start.failed'))
  return new Set(open.flat().flatMap(event => (event.type === 'dependencies.ended' ? [event.cacheKey] : [])))
}
