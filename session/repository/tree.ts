import { decodeNames } from '#host/file-name.ts'
import type { SessionRepository } from './bare-git.ts'
import { readBareGit, UnreadableWork } from './bounded-git.ts'
import { createCache } from './lru-cache.ts'

/** What a folder of a commit has. Names are as `decodeNames` makes them. */
export interface TreeEntry {
  name: string
  /** `100644`, `100755`, `040000` for a folder, `120000` for a link, `160000` for a submodule. */
  mode: string
  kind: 'file' | 'folder' | 'link' | 'submodule'
  /** The name of its object; of a submodule, its commit. */
  hash: string
}

/**
 * List one folder by the hash of its tree: folders first, and else in git's order. The content of a hash never changes, so the answer is kept. Throws an
 * {@link UnreadableWork}.
 */
export async function listTree(
  repository: SessionRepository,
  tree: string,
  signal?: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const key = `${repository.bareRepository} ${tree}`
  const known = knownTrees.get(key)
  if (known) return known
  const { bytes, isCut } = await readBareGit(repository, ['ls-tree', '-z', tree], { signal, maxBytes: MAX_TREE_BYTES })
  if (isCut) throw new UnreadableWork('too large', 'This folder has too many files to be shown. Look at it with git.')
  const all = decodeNames(bytes.toString('latin1')).split('\0').filter(Boolean).map(parseEntry)
  const entries = [...all.filter(({ kind }) => kind === 'folder'), ...all.filter(({ kind }) => kind !== 'folder')]
  knownTrees.set(key, entries, entries.length + 1)
  return entries
}

/**
 * Find what is at a path below a tree, folder by folder; undefined if there is nothing. No name is given to git, so each name is
 * only itself. A link is found and never followed.
 */
export async function findInTree(
  repository: SessionRepository,
  tree: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<TreeEntry | undefined> {
  let entry: TreeEntry = { name: '', mode: FOLDER_MODE, kind: 'folder', hash: tree }
  if (names.length > MAX_PATH_DEPTH)
    throw new UnreadableWork('too large', `This file is more than ${MAX_PATH_DEPTH} folders deep. Look at it with git.`)
  for (const name of names) {
    if (entry.kind !== 'folder') return undefined
    const next = (await listTree(repository, entry.hash, signal)).find(each => each.name === name)
    if (next === undefined) return undefined
    entry = next
  }
  return entry
}

/** The sizes of blobs in bytes. One that is not there is missing in the answer. */
export async function measureBlobs(
  repository: SessionRepository,
  hashes: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  if (hashes.length === 0) return new Map()
  const args = ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)', '--buffer']
  const input = hashes.map(hash => `${hash}\n`).join('')
  const { bytes } = await readBareGit(repository, args, { input, signal, maxBytes: MAX_TREE_BYTES })
  const lines = bytes.toString('latin1').matchAll(/^([0-9a-f]+) blob (\d+)$/gm)
  return new Map([...lines].map(([, hash = '', size]) => [hash, Number(size)]))
}

// --- internal ---

/** Some 200,000 files. */
const MAX_TREE_BYTES = 16 * 1024 * 1024
const MAX_PATH_DEPTH = 100
const MAX_KEPT_ENTRIES = 80_000
const FOLDER_MODE = '040000'

const knownTrees = createCache<readonly TreeEntry[]>(MAX_KEPT_ENTRIES)

const kinds: Record<string, TreeEntry['kind']> = { [FOLDER_MODE]: 'folder', 120000: 'link', 160000: 'submodule' }

function parseEntry(line: string): TreeEntry {
  const nameStart = line.indexOf('\t') + 1 // A name may have tabs too.
  const [mode = '', , hash = ''] = line.slice(0, nameStart - 1).split(' ')
  return { name: line.slice(nameStart), mode, kind: kinds[mode] ?? 'file', hash }
}
