import { DispatchError, exitCodes } from '../error.ts'
import { git, listUncommitted, tryGit } from './git.ts'
/** A repository of the user's with a work tree, and where it stands. */
export interface Checkout {
  path: string
  /** Null where no branch is checked out. */
  branch: string | null
  /** Null before the first commit. */
  head: string | null
}

/** What stands between the user's checkout and a commit that its repository holds. */
export interface Divergence {
  /** How many commits HEAD has that the commit has not; all of them when they have no ancestor in common. */
  commitsAhead: number
  /** Is there an ancestor in common? */
  hasCommonAncestor: boolean
  /** Has HEAD taken the commit in already? */
  isMerged: boolean
  /** Does HEAD still stem from the base? Not after a rebase or an amended commit. */
  containsBase: boolean
  /** Files that both sides have changed since they parted; where they never were one, files that both have. */
  changedOnBothSides: string[]
  /** Files that the commit touches and that are not committed in the checkout. */
  uncommittedFiles: string[]
}

/** The checkout that a folder lies in; undefined when it lies in none. */
export async function findCheckout(folder: string): Promise<Checkout | undefined> {
  const found = await tryGit(['rev-parse', '--show-toplevel'], { cwd: folder })
  if (found.exitCode !== 0) return undefined
  const top = found.stdout.replace(/\n$/, '')
  const branch = await tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: top })
  const head = await resolveCommit(top, 'HEAD')
  return { path: top, branch: branch.stdout.trim().replace(/^refs\/heads\//, '') || null, head: head ?? null }
}

/** The commit that a branch, or any other name, stands for; undefined when there is none. */
export async function resolveCommit(repository: string, name: string): Promise<string | undefined> {
  const ran = await tryGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], {
    cwd: repository,
    env: noReplaceEnvironment,
  })
  return ran.exitCode === 0 ? ran.stdout.trim() : undefined
}

/** The tree that a commit holds; undefined when the repository has no such commit. */
export async function resolveTree(repository: string, commit: string): Promise<string | undefined> {
  const ran = await tryGit(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], {
    cwd: repository,
    env: noReplaceEnvironment,
  })
  return ran.exitCode === 0 ? ran.stdout.trim() : undefined
}

/** Does anything in the repository lead to this commit: a branch, a tag, HEAD? One that merely lies there may be gone tomorrow. */
export async function isReachable(repository: string, commit: string): Promise<boolean> {
  const named = await tryGit(['for-each-ref', '--count=1', '--contains', commit], {
    cwd: repository,
    env: noReplaceEnvironment,
  })
  if (named.exitCode === 0 && named.stdout !== '') return true
  return isAncestor(repository, commit, 'HEAD')
}

/** Does `of` stem from this commit, or is it the same? */
async function isAncestor(repository: string, commit: string, descendant: string): Promise<boolean> {
  return (
    (await tryGit(['merge-base', '--is-ancestor', commit, descendant], { cwd: repository, env: noReplaceEnvironment }))
      .exitCode === 0
  )
}

/**
 * Bring a commit, and what it stems from, into the user's repository: objects only. No branch moves, no reflog, no
 * FETCH_HEAD, no hook; objects that git itself finds suspicious are refused.
 */
export async function fetchCommit(sourceRepository: string, commit: string, targetRepository: string): Promise<void> {
  const config = ['-c', 'fetch.fsckObjects=true', '-c', 'fetch.writeCommitGraph=false', '-c', 'protocol.version=2']
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance']
  const ran = await tryGit([...config, 'fetch', ...quiet, sourceRepository, commit], {
    cwd: targetRepository,
    env: noReplaceEnvironment,
  })
  if (ran.exitCode === 0) return
  throw new DispatchError(
    `${targetRepository} could not take ${commit.slice(0, 10)} from ${sourceRepository}: ${ran.stderr.trim()}`,
    {
      exitCode: exitCodes.integrity,
      remedy: 'Nothing was changed. Git has said why; a damaged repository or a full disk are the usual causes.',
    },
  )
}

/** Make a branch that is not there yet. Nothing is checked out. Answers git's words when it refuses. */
export async function createBranch(repository: string, name: string, commit: string): Promise<string | undefined> {
  const words = ['-c', 'core.logAllRefUpdates=false', 'update-ref', `refs/heads/${name}`, commit, '']
  const ran = await tryGit(words, { cwd: repository, env: noReplaceEnvironment })
  return ran.exitCode === 0 ? undefined : ran.stderr.trim() || `exit ${ran.exitCode}`
}

export async function isBranchName(name: string): Promise<boolean> {
  const ran = await tryGit(['check-ref-format', `refs/heads/${name}`])
  return ran.exitCode === 0 && !name.startsWith('-')
}

/** The folder in which a branch is checked out, born or not; a repository may have several. */
export async function findWorktree(repository: string, branch: string): Promise<string | undefined> {
  const listed = await git(['worktree', 'list', '--porcelain'], { cwd: repository })
  const of = listed.split('\n\n').find(told => told.split('\n').includes(`branch refs/heads/${branch}`))
  return of?.split('\n')[0]?.replace(/^worktree /, '')
}

/** How far the checkout and a commit of its repository have gone apart since the base. Only read. */
export async function measureDivergence(
  { path: cwd, head }: Checkout,
  commit: string,
  base: string,
): Promise<Divergence> {
  const dirty = new Set((await listUncommitted(cwd)).map(entry => entry.slice(3)))
  const parted =
    head === null ? '' : (await tryGit(['merge-base', head, commit], { cwd, env: noReplaceEnvironment })).stdout.trim()
  const commitsAhead =
    head === null
      ? 0
      : Number(await git(['rev-list', '--count', `${commit}..${head}`], { cwd, env: noReplaceEnvironment }))
  const brought = parted === '' ? await listTreeFiles(cwd, commit) : await listFilesBetween(cwd, parted, commit)
  const mine = new Set(
    head === null ? [] : parted === '' ? await listTreeFiles(cwd, head) : await listFilesBetween(cwd, parted, head),
  )
  return {
    commitsAhead,
    hasCommonAncestor: parted !== '',
    isMerged: parted === commit,
    containsBase: head !== null && (await isAncestor(cwd, base, head)),
    changedOnBothSides: brought.filter(file => mine.has(file)),
    uncommittedFiles: brought.filter(file => dirty.has(file)),
  }
}

// --- internal ---

/** Objects as they are, and not what `git replace` puts in their place. */
const noReplaceEnvironment = { GIT_NO_REPLACE_OBJECTS: '1' }

async function listFilesBetween(cwd: string, from: string, to: string): Promise<string[]> {
  const listed = await git(['diff-tree', '-r', '--name-only', '--no-renames', '-z', from, to], {
    cwd,
    env: noReplaceEnvironment,
  })
  return listed.split('\0').filter(Boolean)
}

async function listTreeFiles(cwd: string, commit: string): Promise<string[]> {
  const listed = await git(['ls-tree', '-r', '--name-only', '-z', commit], { cwd, env: noReplaceEnvironment })
  return listed.split('\0').filter(Boolean)
}
