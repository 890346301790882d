import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { encodeName } from '#host/file-name.ts'
import { listNames, toStorageError } from '#host/fs'
import { getPastFile } from '../forge-record.ts'
import type { FileEntry, Listing } from './format.ts'
import type { ObjectStore } from './object-store.ts'
import { resolveEntry } from './scan.ts'

/** Files that were written, by their content, for those that share one by hard links. */
export type SharedFiles = Map<string, string | Buffer>

/** Write the entries of a unit below a new folder, or as a new file. The modes of folders come last: they may be read-only. */
export function writeUnit(entries: Listing, target: string, store: ObjectStore, shared: SharedFiles): void {
  for (const entry of entries) {
    const file = resolveEntry(target, entry.path)
    try {
      if (entry.kind === 'folder') fs.mkdirSync(file, { mode: 0o700 })
      else if (entry.kind === 'link') fs.symlinkSync(encodeName(entry.target), file)
      else writeFile(entry, file, store, shared)
    } catch (error) {
      throw toStorageError(`${file}`, error)
    }
  }
  closeFolders(entries, target)
}

/**
 * The same where a part of it may exist: what exists stays as it is. With `isMoved`, so does what has gone on to another folder since,
 * as what has landed or was sent: it does not come back. Nothing is written through a link, besides one that a person has put in the
 * place of the whole unit, to have it on another disk. Returns the paths that stayed.
 */
export function addUnit(
  entries: Listing,
  target: string,
  store: ObjectStore,
  shared: SharedFiles,
  { isMoved = false } = {},
): string[] {
  const kept: string[] = []
  const made: Listing = []
  const closed = new Set<string>()
  for (const entry of entries) {
    const file = resolveEntry(target, entry.path)
    const stats = isBelow(entry.path, closed) ? 'below another' : fs.lstatSync(file, { throwIfNoEntry: false })
    if (stats !== undefined) {
      const isOpen = entry.kind === 'folder' && stats !== 'below another' && isFolder(entry.path, file, stats)
      if (!isOpen) kept.push(entry.path)
      if (!isOpen) closed.add(entry.path)
      continue
    }
    if (fs.existsSync(getPastFile(file.toString()))) continue // A record that tidying has put aside since.
    if (isMoved && entry.kind === 'file' && isInSibling(file.toString())) continue
    try {
      if (entry.kind === 'folder') {
        fs.mkdirSync(file, { mode: 0o700 })
        made.push(entry)
      } else if (entry.kind === 'link') fs.symlinkSync(encodeName(entry.target), file)
      else {
        const draft = path.join(path.dirname(target), `.tmp-${randomBytes(8).toString('hex')}`)
        writeFile(entry, draft, store, shared)
        fs.renameSync(draft, file)
        if (entry.isShared) shared.set(entry.sha256, file)
      }
    } catch (error) {
      throw toStorageError(`${file}`, error)
    }
  }
  closeFolders(made, target)
  return kept
}

// --- internal ---

/** Is the folder of an entry one of these? Pure. */
function isBelow(entryPath: string, closed: ReadonlySet<string>): boolean {
  return entryPath !== '' && closed.has(entryPath.includes('/') ? path.dirname(entryPath) : '')
}

/** May entries of a unit be added here? At its top also where a link leads to a folder. */
function isFolder(entryPath: string, file: string | Buffer, stats: fs.Stats): boolean {
  return (
    stats.isDirectory() || (entryPath === '' && fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
  )
}

/** Is a file of this name in a folder beside its own? */
function isInSibling(file: string): boolean {
  const parent = path.dirname(path.dirname(file))
  return listNames(parent).some(folder => fs.existsSync(path.join(parent, folder, path.basename(file))))
}

function writeFile(entry: FileEntry, file: string | Buffer, store: ObjectStore, shared: SharedFiles): void {
  const twin = entry.isShared ? shared.get(entry.sha256) : undefined
  if (twin !== undefined && tryLink(twin, file)) return
  fs.copyFileSync(store.getFile(entry.sha256), file, fs.constants.COPYFILE_FICLONE | fs.constants.COPYFILE_EXCL)
  fs.utimesSync(file, entry.mtimeMs / 1000, entry.mtimeMs / 1000)
  fs.chmodSync(file, entry.mode)
  if (entry.isShared) shared.set(entry.sha256, file)
}

function tryLink(from: string | Buffer, to: string | Buffer): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOENT')) return false
    throw error
  }
}

function closeFolders(entries: Listing, target: string): void {
  for (const entry of entries.toReversed()) {
    if (entry.kind !== 'folder') continue
    const folder = resolveEntry(target, entry.path)
    fs.utimesSync(folder, entry.mtimeMs / 1000, entry.mtimeMs / 1000)
    fs.chmodSync(folder, entry.mode)
  }
}
