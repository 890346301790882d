import fs from 'node:fs'
import { isErrno } from '#host/error.ts'
import { decodeNames, encodeName } from '#host/file-name.ts'
import type { Entry } from './format.ts'
import type { LeftOut } from './home-contents.ts'

/** A file that is to be copied: an entry that lacks the hash of its content. */
export type FoundFile = Omit<Extract<Entry, { kind: 'file' }>, 'sha256' | 'isShared'> & {
  linkCount: number
  inode: string
}
export type Found = FoundFile | Exclude<Entry, { kind: 'file' }>

/** Something that is not in the backup, and why. `isLost` if it should be. */
export interface Skipped {
  path: string
  reason: string
  isLost: boolean
}

/**
 * Visit what is below `root`, a folder or a file, without following a link. A folder comes before what is in it, the log of a session
 * first, and the objects of git after all that names them, so that what is written meanwhile leaves no name without its object. What
 * is gone when its turn comes is left out.
 */
export function scanTree(
  root: string,
  leaveOut: (path: string) => LeftOut,
  { visit, skip }: { visit: (found: Found) => void; skip: (skipped: Skipped) => void },
): void {
  scan({ root, leaveOut, visit, skip }, '')
}

/** The path of an entry, as bytes where it is not UTF-8. Pure. */
export function resolveEntry(root: string, entryPath: string): string | Buffer {
  const file = entryPath === '' ? root : `${root}/${entryPath}`
  return entryPath.isWellFormed() ? file : Buffer.concat([Buffer.from(`${root}/`), encodeName(entryPath)])
}

// --- internal ---

/** The clock of a file system has steps. A file that was changed within this time may change again within the same step. */
const MIN_SURE_AGE_MS = 2000

interface Scan {
  root: string
  leaveOut: (path: string) => LeftOut
  visit: (found: Found) => void
  skip: (skipped: Skipped) => void
}

function scan(tree: Scan, name: string): void {
  const { root, visit, skip } = tree
  const left = name === '' ? undefined : tree.leaveOut(name)
  if (left === 'all') return
  const file = resolveEntry(root, name)
  const stats = attempt(name, skip, () => fs.lstatSync(file, { bigint: true }))
  if (stats === undefined) return
  const mode = Number(stats.mode & 0o777n)
  const mtimeMs = Number(stats.mtimeMs)
  if (stats.isFile()) {
    const isSure = Date.now() - Number(stats.ctimeMs) > MIN_SURE_AGE_MS
    const stamp = isSure ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : ''
    const inode = `${stats.dev}:${stats.ino}`
    const linkCount = Number(stats.nlink)
    visit({ kind: 'file', path: name, mode, mtimeMs, size: Number(stats.size), stamp, linkCount, inode })
  } else if (stats.isSymbolicLink()) {
    const target = attempt(name, skip, () => fs.readlinkSync(file, 'latin1'))
    if (target !== undefined) visit({ kind: 'link', path: name, target: decodeNames(target) })
  } else if (stats.isDirectory()) {
    visit({ kind: 'folder', path: name, mode, mtimeMs })
    if (left === 'contents') return
    const names = attempt(name, skip, () => listEntries(file)) ?? []
    for (const child of names.sort(compareByTurn)) scan(tree, name === '' ? child : `${name}/${child}`)
  } else skip({ path: name, reason: `it is ${describeKind(stats)}`, isLost: false })
}

/** Names need not be UTF-8. */
function listEntries(folder: string | Buffer): string[] {
  const names = fs.readdirSync(folder)
  return names.some(name => name.includes('\ufffd')) ? fs.readdirSync(folder, 'latin1').map(decodeNames) : names
}

/** Undefined for what is gone, and for what cannot be read, which is told. */
function attempt<Result>(name: string, skip: (skipped: Skipped) => void, read: () => Result): Result | undefined {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (!(error instanceof Error && 'code' in error)) throw error
    skip({ path: name, reason: `it cannot be read (${error.code})`, isLost: true })
    return undefined
  }
}

function compareByTurn(a: string, b: string): number {
  return getTurn(a) - getTurn(b) || (a < b ? -1 : 1)
}

function getTurn(name: string): number {
  return name === 'events.jsonl' ? 0 : name === 'objects' ? 2 : 1
}

function describeKind(stats: fs.BigIntStats): string {
  return stats.isFIFO() ? 'a pipe (FIFO)' : stats.isSocket() ? 'a socket' : 'a device'
}
