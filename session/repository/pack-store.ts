import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { deleteFolder, listNames, makePrivateFolder, measureFolder, readIfPresent, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { DAY_MS } from '#host/time.ts'

/**
 * The store of a project: git's packs of the user's commits that sessions started from. Only dispatch writes it, before an agent
 * has run. A session has hard links to the packs that it needs, so removing the store takes no object from any session. A pack
 * is named by its checksum and never changes, so no lock is needed.
 */
export function getPackStore(stores: string, userGitFolder: string): string {
  return path.join(stores, sha256(userGitFolder).slice(0, STORE_NAME_DIGITS))
}

/** Where the stores of a home are. */
export function getStoresFolder(home: string): string {
  return path.join(home, 'repositories')
}

/** A store, what removing it would free, and whether no session has started from it for a long time. */
export interface PackStore {
  folder: string
  bytes: number
  usedAtMs: number
  isUnused: boolean
}

/** Every store of a home. */
export function listPackStores(home: string): PackStore[] {
  return listNames(getStoresFolder(home)).map(name => {
    const folder = path.join(getStoresFolder(home), name)
    // A store that is being made has no commit yet.
    const usedAtMs =
      listCommitFiles(folder)[0]?.usedAtMs ?? fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0
    return { folder, bytes: measureFolder(folder), usedAtMs, isUnused: Date.now() - usedAtMs > MAX_AGE_MS }
  })
}

/** Remove the stores that are not used. If a session starts from one just now, it is made without it. Returns what was removed. */
export function removeUnusedPackStores(home: string): PackStore[] {
  const unused = listPackStores(home).filter(({ isUnused }) => isUnused)
  for (const { folder } of unused) deleteFolder(folder)
  return unused
}

/** The commits whose packs the store has, the latest first. */
export function listKnownCommits(store: string): string[] {
  return listCommitFiles(store).map(({ name }) => name)
}

/**
 * Link the packs of one of these commits into a new bare repository. Returns the first whose packs are all there, or
 * undefined.
 */
export function takePacks(store: string, bareRepository: string, commits: string[]): string | undefined {
  for (const commit of commits) {
    const packs = readIfPresent(path.join(store, COMMITS, commit))?.split('\n') ?? []
    if (packs.length > MAX_PACK_COUNT || !packs.every(pack => isWhole(path.join(store, PACKS), pack))) continue
    for (const pack of packs) linkPack(path.join(store, PACKS), path.join(bareRepository, BARE_PACKS), pack)
    return commit
  }
  return undefined
}

/** Add the packs of a bare repository that holds nothing but the history of this commit. */
export function keepPacks(store: string, bareRepository: string, commit: string): void {
  const source = path.join(bareRepository, BARE_PACKS)
  const packs = listPacks(source)
  makePrivateFolder(store)
  for (const name of [PACKS, COMMITS]) makePrivateFolder(path.join(store, name))
  for (const pack of packs) linkPack(source, path.join(store, PACKS), pack)
  writeAtomic(path.join(store, COMMITS, commit), packs.join('\n'))
  prunePacks(store)
}

/** Link every object of a repository into a folder that others may read. Git never writes to an object again. */
export function linkObjects(objects: string, target: string): void {
  const files = fs.readdirSync(objects, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  makePrivateFolder(target)
  for (const { parentPath, name } of files) {
    const folder = path.join(target, path.relative(objects, parentPath))
    makePrivateFolder(folder)
    linkFile(path.join(parentPath, name), path.join(folder, name))
  }
}

// --- internal ---

const STORE_NAME_DIGITS = 16
const PACKS = 'packs'
const COMMITS = 'commits'
const BARE_PACKS = 'objects/pack'
const CHECKSUM_BYTES = 20

/** Each fetch adds a pack, and many make git slow. A session that would have more copies the history again, as one pack. */
const MAX_PACK_COUNT = 50
const MAX_COMMITS = 20
const MAX_AGE_MS = 30 * DAY_MS

/** The files that name the packs of a commit, the one used last first. */
function listCommitFiles(store: string): { name: string; usedAtMs: number }[] {
  return listNames(path.join(store, COMMITS))
    .filter(name => /^[0-9a-f]{40}$/.test(name))
    .map(name => ({
      name,
      usedAtMs: fs.statSync(path.join(store, COMMITS, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.usedAtMs - a.usedAtMs)
}

function listPacks(folder: string): string[] {
  return listNames(folder).flatMap(name => (name.endsWith('.pack') ? [name.slice(0, -'.pack'.length)] : []))
}

/** Forget old commits, and remove the packs that none of the others needs. Sessions keep their own links. */
function prunePacks(store: string): void {
  const known = listCommitFiles(store)
  const kept = known.filter(({ usedAtMs }, index) => index < MAX_COMMITS && Date.now() - usedAtMs < MAX_AGE_MS)
  for (const commit of known.filter(commit => !kept.includes(commit)))
    fs.rmSync(path.join(store, COMMITS, commit.name), { force: true })
  const needed = new Set(kept.flatMap(({ name }) => readIfPresent(path.join(store, COMMITS, name))?.split('\n') ?? []))
  const unneeded = listPacks(path.join(store, PACKS)).filter(pack => !needed.has(pack))
  for (const pack of unneeded)
    for (const suffix of SUFFIXES) fs.rmSync(path.join(store, PACKS, pack + suffix), { force: true })
}

/** Git finds a pack by its index, so that comes last. */
const SUFFIXES = ['.pack', '.rev', '.idx']

function linkPack(source: string, target: string, pack: string): void {
  if (isWhole(target, pack)) return
  for (const suffix of SUFFIXES) {
    fs.rmSync(path.join(target, pack + suffix), { force: true })
    if (fs.existsSync(path.join(source, pack + suffix)))
      linkFile(path.join(source, pack + suffix), path.join(target, pack + suffix))
  }
}

/** Link a file, or copy it where the file system has no links or not another one. */
function linkFile(source: string, target: string): void {
  try {
    fs.linkSync(source, target)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return // Another session was faster. The name is the checksum of the content.
    if (!isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) throw error
    fs.copyFileSync(source, target, fs.constants.COPYFILE_FICLONE)
  }
}

/** Does the pack end in the checksum that it is named by, and does its index belong to it? A torn file does not. */
function isWhole(folder: string, pack: string): boolean {
  const checksum = pack.replace(/^pack-/, '')
  return (
    readChecksum(path.join(folder, `${pack}.pack`), CHECKSUM_BYTES) === checksum &&
    readChecksum(path.join(folder, `${pack}.idx`), 2 * CHECKSUM_BYTES) === checksum
  )
}

/** The checksum that is this many bytes before the end of a file; undefined for a file that is missing or too short. */
function readChecksum(file: string, bytesBeforeEnd: number): string | undefined {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size < bytesBeforeEnd) return undefined
  const fd = fs.openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(CHECKSUM_BYTES)
    fs.readSync(fd, buffer, 0, CHECKSUM_BYTES, size - bytesBeforeEnd)
    return buffer.toString('hex')
  } finally {
    fs.closeSync(fd)
  }
}
