import { decodeNames } from '#host/file-name.ts'
import type { SessionRepository } from './bare-git.ts'
import { readBareGit, UnreadableWork } from './bounded-git.ts'
import { createCache } from './lru-cache.ts'

/** A file that the work changed against the base. A name is as `decodeNames` makes it. */
export interface WorkChange {
  path: string
  status: 'added' | 'changed' | 'deleted' | 'renamed'
  /** Its name in the base, if it was renamed. */
  oldPath: string
  /** Mode and blob on each side; empty on the side that does not have it. */
  oldMode: string
  oldHash: string
  mode: string
  hash: string
  /** Lines; undefined for a binary or very large file, and where too many files changed to count. */
  addedLines: number | undefined
  deletedLines: number | undefined
}

export interface WorkChanges {
  files: readonly WorkChange[]
  /** Were lines counted and renames found? Not if more than 2,000 files changed. */
  isCounted: boolean
  /** Did more files change than are listed, some 15,000? */
  isCut: boolean
}

/** List what differs between two trees, by their hashes. The answer never changes, so it is kept. Throws an {@link UnreadableWork}. */
export async function listWorkChanges(
  repository: SessionRepository,
  baseTree: string,
  tree: string,
  signal?: AbortSignal,
): Promise<WorkChanges> {
  const key = `${repository.bareRepository} ${baseTree} ${tree}`
  const known = knownChanges.get(key)
  if (known) return known
  const changes = await readChanges(repository, [baseTree, tree], signal)
  knownChanges.set(key, changes, changes.files.length + 1)
  return changes
}

/**
 * The difference of two blobs as a unified diff, as bytes, up to `maxBytes`. Attributes of the tree do not count: whether it is
 * text, the caller knows.
 */
export async function readBlobDiff(
  repository: SessionRepository,
  [before, after]: [before: string, after: string],
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal | undefined },
): Promise<{ bytes: Buffer; isCut: boolean }> {
  const args = ['diff', ...plainDiff, '--no-color', '--text', '--no-indent-heuristic', before, after]
  return readBareGit(repository, args, { maxBytes, signal })
}

// --- internal ---

/** Some 15,000 files. */
const MAX_LISTING_BYTES = 2 * 1024 * 1024
const MAX_COUNTED_FILES = 2000
const MAX_KEPT_FILES = 60_000

const knownChanges = createCache<WorkChanges>(MAX_KEPT_FILES)

/** No program that a configuration or an attribute names. */
const plainDiff = ['--no-ext-diff', '--no-textconv', '--ignore-submodules=none']

const statuses: Record<string, WorkChange['status']> = { A: 'added', D: 'deleted', R: 'renamed' }

async function readChanges(
  repository: SessionRepository,
  trees: [string, string],
  signal: AbortSignal | undefined,
): Promise<WorkChanges> {
  const list = async (options: string[]) => {
    const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', ...plainDiff, ...options, ...trees]
    const { bytes, isCut } = await readBareGit(repository, args, { signal, maxBytes: MAX_LISTING_BYTES })
    const whole = isCut ? bytes.subarray(0, bytes.lastIndexOf('\0:') + 1) : bytes
    return { files: parseChanges(decodeNames(whole.toString('latin1'))), isCut }
  }
  const { files, isCut } = await list(['--no-renames'])
  if (isCut || files.length > MAX_COUNTED_FILES) return { files, isCounted: false, isCut }
  try {
    return { ...(await list(['--find-renames', '--numstat'])), isCounted: true }
  } catch (error) {
    if (error instanceof UnreadableWork && error.reason === 'too slow') return { files, isCounted: false, isCut }
    throw error
  }
}

/**
 * Parse what `diff-tree -z --raw` prints: `:<modes> <hashes> <status>`, a name, and of a renamed file a second name. What
 * `--numstat` adds follows after them: the lines and the name, which is empty for a renamed file and two names follow. Pure.
 */
export function parseChanges(output: string): WorkChange[] {
  const fields = output.split('\0')
  const changes = new Map<string, WorkChange>()
  let at = 0
  const take = () => fields[at++] ?? ''
  while (at < fields.length - 1) {
    const field = take()
    const [, oldMode = '', mode = '', oldHash = '', hash = '', letter = ''] = rawPattern.exec(field) ?? []
    if (letter !== '') {
      const oldPath = take()
      const path = letter === 'R' ? take() : oldPath
      changes.set(path, {
        ...{ path, oldPath, status: statuses[letter] ?? 'changed' },
        ...{ oldMode: blank(oldMode), oldHash: blank(oldHash), mode: blank(mode), hash: blank(hash) },
        ...{ addedLines: undefined, deletedLines: undefined },
      })
      continue
    }
    const [, added = '', deleted = '', name = ''] = countPattern.exec(field) ?? []
    if (name === '') take()
    const change = changes.get(name === '' ? take() : name)
    if (change && added !== '-') Object.assign(change, { addedLines: Number(added), deletedLines: Number(deleted) })
  }
  return [...changes.values()]
}

/** `:100644 100644 <hash> <hash> M`, with a percentage after `R`. */
const rawPattern = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*$/
/** `3`, `1` and a name, with tabs between them; `-` for a binary file. */
const countPattern = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/

/** Git has zeros for what is not there. */
function blank(text: string): string {
  return /^0+$/.test(text) ? '' : text
}
