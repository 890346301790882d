import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { copyTree, deleteFolder, listNames, removeAdditions, takeSnapshot } from '#host/fs'
import { readPlaceTag } from '#host/process'
import { getScratchRoot } from '#host/temp-folder.ts'
import { MINUTE_MS } from '#host/time.ts'

/** A copy of a commit with its dependencies, in which one check runs at a time. */
export interface CheckTree {
  /** A folder of its own, with `tree` in it. */
  scratch: string
  tree: string
  /** The folders outside that its repository reads. */
  history: string[]
  /** What it contains: the session, the commit and the dependencies. */
  key: TreeKey
  /** What it was before a check ran; undefined where that cannot be told. */
  snapshot: Awaited<ReturnType<typeof takeSnapshot>>
}

interface TreeKey {
  content: string
  dependencies: string
}

/**
 * A copy of this content: the one that an earlier check has left, or a new one that `fill` makes. `donor` is then a tree with the
 * same dependencies, which nothing needs any more: they can be moved from there.
 */
export async function takeCheckTree(
  key: TreeKey,
  fill: (tree: string, donor: string | undefined) => Promise<string[]>,
): Promise<CheckTree> {
  const left = idleTree
  idleTree = undefined
  if (left?.key.content === key.content) return left
  removeAbandonedTrees()
  const scratch = fs.realpathSync(
    fs.mkdtempSync(path.join(getScratchRoot(), `${PREFIX}${readPlaceTag()}-${process.pid}-`)),
  )
  const tree = path.join(scratch, 'tree')
  fs.mkdirSync(tree)
  try {
    const donor = left?.key.dependencies === key.dependencies ? left.tree : undefined
    const history = await fill(tree, donor)
    await copyTree(path.join(tree, '.git'), path.join(scratch, GIT_COPY))
    return { scratch, tree, history, key, snapshot: await takeSnapshot(tree) }
  } catch (error) {
    deleteFolder(scratch)
    throw error
  } finally {
    if (left) removeTree(left)
  }
}

/**
 * Keep the tree for the next check if it can be made what it was: what the check has added is removed. If the check has changed
 * or removed a file, the tree is removed. `.git` is replaced by its first copy, because each command of git may write there.
 */
export async function leaveCheckTree(tree: CheckTree): Promise<void> {
  try {
    if (await restore(tree)) keep(tree)
    else removeTree(tree)
  } catch {
    removeTree(tree)
  }
}

/** Remove a tree that is not to be used again. */
export function removeTree({ scratch }: CheckTree): void {
  deleteFolder(scratch)
}

// --- internal ---

const PREFIX = 'dispatch-check'
const GIT_COPY = 'git'
/** A tree that no check has used for this long is removed. */
const MAX_IDLE_MS = 10 * MINUTE_MS

/** The tree that no check uses. One is enough: the checks of a round run one after the other, on the same commit. */
let idleTree: CheckTree | undefined
let removal: NodeJS.Timeout | undefined

process.on('exit', () => idleTree && removeTree(idleTree))

async function restore({ scratch, tree, snapshot }: CheckTree): Promise<boolean> {
  if (snapshot === undefined || !(await removeAdditions(tree, snapshot))) return false
  deleteFolder(path.join(tree, '.git'))
  await copyTree(path.join(scratch, GIT_COPY), path.join(tree, '.git'))
  return true
}

function keep(tree: CheckTree): void {
  if (idleTree) removeTree(idleTree)
  idleTree = tree
  clearTimeout(removal)
  removal = setTimeout(() => {
    if (idleTree) removeTree(idleTree)
    idleTree = undefined
  }, MAX_IDLE_MS).unref()
}

/** Remove the trees of processes that were killed. Containers may share the folder, and a pid means nothing in another one. */
function removeAbandonedTrees(): void {
  const pattern = new RegExp(`^${PREFIX}${readPlaceTag()}-(\\d+)-`)
  const root = getScratchRoot()
  for (const name of listNames(root)) {
    const pid = Number(pattern.exec(name)?.[1] ?? process.pid)
    const folder = path.join(root, name)
    if (isRunning(pid) || fs.lstatSync(folder, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue
    deleteFolder(folder)
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !isErrno(error, 'ESRCH')
  }
}
