import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { git, listWithGit, tryGit } from './git.ts'
import { listUncommitted } from './uncommitted.ts'

/** A repository of the user with a work tree, and its current branch and commit. */
export interface Checkout {
  path: string
  /** Null when no branch is checked out. */
  branch: string | null
  /** Null before the first commit. */
  head: string | null
}

/** How the user's checkout and a commit in its repository differ. */
export interface Divergence {
  /** How many commits HEAD has that the commit does not have; all of them without a common ancestor. */
  commitsAhead: number
  hasCommonAncestor: boolean
  /** Does HEAD contain the commit already? */
  isMerged: boolean
  /** Does HEAD still contain the base? Not after a rebase, or when the base was amended. */
  containsBase: boolean
  /** Files that both sides changed since their common ancestor; without one, files that both sides have. */
  changedOnBothSides: string[]
  /** Files that the commit changes and that have uncommitted changes in the checkout. */
  uncommittedFiles: string[]
}

/** The checkout with this folder; undefined when the folder is in none. */
export async function findCheckout(folder: string): Promise<Checkout | undefined> {
  const [toplevel, branch, head] = await Promise.all([
    tryGit(['rev-parse', '--show-toplevel'], { cwd: folder }),
    tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: folder }),
    resolveCommit(folder, 'HEAD'),
  ])
  if (toplevel.exitCode !== 0) return undefined
  const top = toplevel.stdout.replace(/\n$/, '')
  return { path: top, branch: branch.stdout.trim().replace(/^refs\/heads\//, '') || null, head: head ?? null }
}

/** The commit of a branch or of any other name; undefined when it does not exist. */
export async function resolveCommit(repository: string, name: string): Promise<string | undefined> {
  return resolveObject(repository, `${name}^{commit}`)
}

/** The tree of a commit; undefined when the repository does not have the commit. */
export async function resolveTree(repository: string, commit: string): Promise<string | undefined> {
  return resolveObject(repository, `${commit}^{tree}`)
}

/** Does a branch, a tag or HEAD lead to this commit? An unreachable commit may be deleted by git at any time. */
export async function isReachable(repository: string, commit: string): Promise<boolean> {
  const refs = await tryGit(['for-each-ref', '--count=1', '--contains', commit], { cwd: repository })
  if (refs.exitCode === 0 && refs.stdout !== '') return true
  return isAncestor(repository, commit, 'HEAD')
}

/** How many commits lead to this one, without those that lead to `base`; undefined when the repository lacks one of them. */
export async function countCommits(repository: string, commit: string, base?: string): Promise<number | undefined> {
  const range = base === undefined ? [commit] : [commit, `^${base}`]
  const result = await tryGit(['rev-list', '--count', ...range], { cwd: repository })
  return result.exitCode === 0 ? Number(result.stdout) : undefined
}

/** A commit that a branch, a tag or HEAD leads to and that has exactly this tree; undefined without one among those since a date. */
export async function findCommitWithTree(repository: string, tree: string, since: Date): Promise<string | undefined> {
  const options = ['--no-show-signature', `--since=${since.toISOString()}`, '--format=%T %H']
  const result = await tryGit(['log', '--all', ...options], { cwd: repository })
  if (result.exitCode !== 0) return undefined
  const line = result.stdout.split('\n').find(line => line.startsWith(tree))
  return line?.slice(tree.length + 1)
}

/**
 * Fetch a commit and its history into the user's repository: objects only. No branch, reflog or FETCH_HEAD changes, and
 * no hook runs. Exit 13 when git rejects an object, 5 when the history would have a hole.
 */
export async function fetchCommit(sourceRepository: string, commit: string, targetRepository: string): Promise<void> {
  const config = ['-c', 'fetch.fsckObjects=true', '-c', 'fetch.writeCommitGraph=false', '-c', 'protocol.version=2']
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance']
  const result = await tryGit([...config, 'fetch', ...options, sourceRepository, commit], { cwd: targetRepository })
  if (result.exitCode === 0) return requireHistory(sourceRepository, commit, targetRepository)
  throw new DispatchError(
    `${targetRepository} could not fetch ${commit.slice(0, 10)} from ${sourceRepository}: ${result.stderr.trim()}`,
    {
      exitCode: exitCodes.integrity,
      remedy: 'Nothing was changed. Read what git reports; the usual causes are a damaged repository or a full disk.',
    },
  )
}

/** Create a branch without checking it out. Returns git's message when it refuses, such as for a branch that exists. */
export async function createBranch(repository: string, name: string, commit: string): Promise<string | undefined> {
  const args = ['-c', 'core.logAllRefUpdates=false', 'update-ref', `refs/heads/${name}`, commit, '']
  const result = await tryGit(args, { cwd: repository })
  return result.exitCode === 0 ? undefined : result.stderr.trim() || `exit ${result.exitCode}`
}

export async function isBranchName(name: string): Promise<boolean> {
  const result = await tryGit(['check-ref-format', `refs/heads/${name}`])
  return result.exitCode === 0 && !name.startsWith('-')
}

/** The work tree in which a branch is checked out, even before its first commit. A repository may have several. */
export async function findWorktree(repository: string, branch: string): Promise<string | undefined> {
  const output = await git(['worktree', 'list', '--porcelain'], { cwd: repository })
  const block = output.split('\n\n').find(lines => lines.split('\n').includes(`branch refs/heads/${branch}`))
  return block?.split('\n')[0]?.replace(/^worktree /, '')
}

/** How far the checkout and a commit of its repository have diverged since the base. */
export async function measureDivergence(checkout: Checkout, commit: string, base: string): Promise<Divergence> {
  const { path: cwd, head } = checkout
  const dirtyFiles = new Set((await listUncommitted(cwd)).map(line => line.slice(PORCELAIN_PREFIX_CHARS)))
  const ancestor = head === null ? '' : (await tryGit(['merge-base', head, commit], { cwd })).stdout.trim()
  const commitsAhead = head === null ? 0 : Number(await git(['rev-list', '--count', `${commit}..${head}`], { cwd }))
  const options = ['-r', '--name-only', '-z']
  const listing = ancestor === '' ? ['ls-tree', ...options] : ['diff-tree', '--no-renames', ...options, ancestor]
  const listChanges = (name: string) => listWithGit([...listing, name], { cwd })
  const changedByCommit = await listChanges(commit)
  const changedByHead = new Set(head === null ? [] : await listChanges(head))
  return {
    commitsAhead,
    hasCommonAncestor: ancestor !== '',
    isMerged: ancestor === commit,
    containsBase: head !== null && (await isAncestor(cwd, base, head)),
    changedOnBothSides: changedByCommit.filter(file => changedByHead.has(file)),
    uncommittedFiles: changedByCommit.filter(file => dirtyFiles.has(file)),
  }
}

// --- internal ---

/** From a shallow repository git brings commits without those that they follow, and says only in words that it made no ref. */
async function requireHistory(sourceRepository: string, commit: string, targetRepository: string): Promise<void> {
  if (!fs.existsSync(path.join(sourceRepository, 'shallow'))) return
  const walk = await tryGit(['rev-list', '--quiet', commit, '--not', '--all'], { cwd: targetRepository })
  if (walk.exitCode === 0) return
  const [, missing] = /Could not read ([0-9a-f]{40})/.exec(walk.stderr) ?? []
  throw new DispatchError(
    `${targetRepository} does not have the commit that the work started from${missing ? `: ${missing.slice(0, 10)}` : ''}`,
    {
      exitCode: exitCodes.conflict,
      remedy: 'No branch was created. Fetch that commit there first, such as by `git fetch --unshallow`.',
    },
  )
}

/** The two status letters and the blank before a path in `git status --porcelain`. */
const PORCELAIN_PREFIX_CHARS = 3

async function resolveObject(repository: string, name: string): Promise<string | undefined> {
  const result = await tryGit(['rev-parse', '--verify', '--quiet', name], { cwd: repository })
  return result.exitCode === 0 ? result.stdout.trim() : undefined
}

/** Is `commit` an ancestor of `descendant`, or the same commit? */
async function isAncestor(repository: string, commit: string, descendant: string): Promise<boolean> {
  return (await tryGit(['merge-base', '--is-ancestor', commit, descendant], { cwd: repository })).exitCode === 0
}
