import fs from 'node:fs'
import path from 'node:path'
import { runProgram } from '../exec.ts'
import { MINUTE_MS } from '../time.ts'
import { deleteFolder } from './delete-folder.ts'
import { recordsMappedWrites } from './filesystem-type.ts'

/** What a folder contains: by path, what the file system knows of each file, link and folder. */
export type TreeSnapshot = Map<string, SnapshotEntry>

interface SnapshotEntry {
  isFolder: boolean
  /** Kind, mode and inode; of a file also size and times. No program can set the time of the last change (ctime). */
  stamp: string
  modifiedAtSeconds: number
}

const MAX_LISTING_BYTES = 256 * 1024 * 1024
const FORMAT = '%P\\0%y %m %i\\0%s %C@\\0%T@\\0'
const ENTRY_PARTS = 4

/**
 * Take a snapshot of a folder, without its `.git`; undefined where it cannot be exact: on a file system that does not record
 * every write, without GNU find, or with a name that is not UTF-8.
 */
export async function takeSnapshot(folder: string): Promise<TreeSnapshot | undefined> {
  if (!recordsMappedWrites(folder)) return undefined
  const args = [folder, '-mindepth', '1', '-printf', FORMAT]
  const listing = await runProgram('find', args, { timeoutMs: 10 * MINUTE_MS, maxOutputBytes: MAX_LISTING_BYTES })
  const fields = listing.stdout.split('\0')
  if (listing.exitCode !== 0 || listing.stdout.includes('\uFFFD') || fields.length % ENTRY_PARTS !== 1) return undefined
  const snapshot: TreeSnapshot = new Map()
  for (let at = 0; at + ENTRY_PARTS < fields.length; at += ENTRY_PARTS) {
    const [name = '', kind = '', content = '', modified = ''] = fields.slice(at, at + ENTRY_PARTS)
    if (name === '.git' || name.startsWith('.git/')) continue
    const isFolder = kind.startsWith('d')
    const stamp = isFolder ? kind : `${kind} ${content} ${modified}`
    snapshot.set(name, { isFolder, stamp, modifiedAtSeconds: Number(modified) })
  }
  return snapshot
}

/**
 * Make a folder what it was: remove what was added since, and give the folders around it their times again. False if anything
 * else has changed, or may have; the folder must not be used then.
 */
export async function removeAdditions(folder: string, before: TreeSnapshot): Promise<boolean> {
  const now = await takeSnapshot(folder)
  if (now === undefined) return false
  const isSame = ([name, { stamp }]: [string, SnapshotEntry]) => now.get(name)?.stamp === stamp
  if (![...before].every(isSame)) return false
  for (const name of now.keys())
    if (!before.has(name) && (before.has(path.dirname(name)) || path.dirname(name) === '.'))
      deleteFolder(path.join(folder, name))
  for (const [name, { isFolder, modifiedAtSeconds }] of before)
    if (isFolder && now.get(name)?.modifiedAtSeconds !== modifiedAtSeconds)
      fs.utimesSync(path.join(folder, name), modifiedAtSeconds, modifiedAtSeconds)
  return true
}
