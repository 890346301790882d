import fs from 'node:fs'
import { readStamp } from '#host/fs'
import { getLfsObject, isLfsContent, type LfsPointer, parseLfsPointer } from '#host/lfs'
import { readLog } from '../log/log.ts'
import type { SessionPaths } from '../paths.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'
import { type OpenBlob, openBlob, readBlob } from './blob.ts'
import { readBareGit } from './bounded-git.ts'
import { createCache } from './lru-cache.ts'
import { findInTree, listTree, measureBlobs, type TreeEntry } from './tree.ts'
import { listWorkChanges, readBlobDiff, type WorkChanges } from './work-changes.ts'

/**
 * The files of a session's work for a reader, from its own bare repository. Nothing reaches `outputs/`, and no name reaches a file
 * system or git. Every method throws an `UnreadableWork` with a sentence for people.
 */
export interface WorkReader {
  /** Which tree this is: the judged one, the last that was accepted from a worker, or the base, before there is work. */
  origin: 'judged' | 'accepted' | 'base'
  commit: string
  tree: string
  baseTree: string
  listChanges(): Promise<WorkChanges>
  listFolder(tree: string): Promise<readonly TreeEntry[]>
  /** What is at a path below one of the two trees; undefined if there is nothing. */
  find(tree: string, names: readonly string[]): Promise<TreeEntry | undefined>
  measure(hashes: readonly string[]): Promise<Map<string, number>>
  read(hash: string, maxBytes: number): Promise<{ bytes: Buffer; size: number }>
  open(hash: string): Promise<OpenBlob>
  diff(before: string, after: string, maxBytes: number): Promise<{ bytes: Buffer; isCut: boolean }>
  /** The pointer of Git LFS that a small file is; undefined for any other content. */
  parsePointer(content: Buffer): LfsPointer | undefined
  /** Does the session have the content of a pointer, by its size? */
  hasLfsContent(pointer: LfsPointer): boolean
  /** Open that content, after it was compared with its hash; undefined if it is not there or differs. */
  openLfsContent(pointer: LfsPointer): Promise<fs.ReadStream | undefined>
}

/**
 * Open the work of a session: the tree of its last verdict, else of its last accepted commit, else the base. Undefined before
 * there is a base, and in a session of a dispatch that did not record one.
 */
export async function openWork(paths: SessionPaths, signal?: AbortSignal): Promise<WorkReader | undefined> {
  const { verdict, acceptedCommit, base } = readCommits(paths)
  if (!base || ![base, ...(verdict ? [verdict] : [])].every(isNamedByHash)) return undefined
  const accepted = verdict || acceptedCommit === base.commit ? undefined : acceptedCommit
  const acceptedTree = accepted && (await findTreeOfCommit(paths, accepted, signal))
  const [origin, { commit, tree }] = verdict
    ? (['judged', verdict] as const)
    : acceptedTree
      ? (['accepted', { commit: accepted ?? '', tree: acceptedTree }] as const)
      : (['base', base] as const)
  const baseTree = base.tree
  return {
    ...{ origin, commit, tree, baseTree },
    listChanges: () => listWorkChanges(paths, baseTree, tree, signal),
    listFolder: hash => listTree(paths, hash, signal),
    find: (root, names) => findInTree(paths, root, names, signal),
    measure: hashes => measureBlobs(paths, hashes, signal),
    read: (hash, maxBytes) => readBlob(paths, hash, { maxBytes, signal }),
    open: hash => openBlob(paths, hash, { signal, isDownload: true }),
    diff: (before, after, maxBytes) => readBlobDiff(paths, [before, after], { maxBytes, signal }),
    parsePointer: content => (content.length > MAX_POINTER_BYTES ? undefined : parseLfsPointer(content.toString())),
    hasLfsContent: pointer => findLfsFile(paths, pointer) !== undefined,
    openLfsContent: pointer => openLfsContent(paths, pointer),
  }
}

// --- internal ---

const MAX_POINTER_BYTES = 1024
const hashPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/

function isNamedByHash({ commit, tree }: { commit: string; tree: string }): boolean {
  return hashPattern.test(commit) && hashPattern.test(tree)
}

type Commits = Pick<SessionStatus, 'verdict' | 'acceptedCommit' | 'base'>

/** By the log's file, its stamp and what it says: pictures of one page ask for it again and again. */
const knownCommits = createCache<{ stamp: string; commits: Commits }>(100)

function readCommits({ events }: SessionPaths): Commits {
  const stamp = readStamp(events)
  const known = knownCommits.get(events)
  if (known?.stamp === stamp) return known.commits
  const { verdict, acceptedCommit, base } = computeStatus(readLog(events).events)
  const commits = { ...(verdict && { verdict }), ...(acceptedCommit && { acceptedCommit }), ...(base && { base }) }
  knownCommits.set(events, { stamp, commits })
  return commits
}

/** A commit never changes, so its tree is kept. */
const knownTrees = createCache<string>(1000)

/** A commit of a worker comes into the bare repository when it is submitted. Undefined until then. */
async function findTreeOfCommit(
  paths: SessionPaths,
  commit: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const known = knownTrees.get(commit)
  if (known !== undefined || !hashPattern.test(commit)) return known
  const input = `${commit}^{tree}\n`
  const { bytes } = await readBareGit(paths, ['cat-file', '--batch-check'], { input, signal, maxBytes: 256 })
  const [, tree] = /^([0-9a-f]+) tree \d+$/m.exec(bytes.toString('latin1')) ?? []
  if (tree !== undefined) knownTrees.set(commit, tree)
  return tree
}

function findLfsFile({ lfsObjects }: SessionPaths, pointer: LfsPointer): string | undefined {
  const file = getLfsObject(lfsObjects, pointer)
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  return stat?.isFile() && stat.size === pointer.bytes ? file : undefined
}

async function openLfsContent(paths: SessionPaths, pointer: LfsPointer): Promise<fs.ReadStream | undefined> {
  const file = findLfsFile(paths, pointer)
  if (file === undefined || !(await isLfsContent(file, pointer))) return undefined
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  return fs.createReadStream('', { fd: fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) })
}
