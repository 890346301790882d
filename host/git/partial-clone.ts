import { quoteForShell } from '../shell-quote.ts'
import { type RepositoryCommit, tryGit } from './git.ts'

/** Is this a partial clone? Git downloads the objects that it lacks when it needs them, which dispatch never lets it do. */
export async function isPartialClone(repository: string): Promise<boolean> {
  const pattern = '^(remote\\..*\\.(promisor|partialclonefilter)|extensions\\.partialclone)$'
  return (await tryGit(['config', '--get-regexp', pattern], { cwd: repository })).exitCode === 0
}

/**
 * For a partial clone that lacks objects of the commit itself, such as one with a sparse checkout: the command that
 * downloads them. Undefined if the files of the commit are complete. Nothing is downloaded here.
 */
export async function findDownloadCommand({ path: cwd, commit }: RepositoryCommit): Promise<string | undefined> {
  if (!(await isPartialClone(cwd))) return undefined
  const args = ['rev-list', '--objects', '--no-object-names', '--no-walk', '--missing=print', commit]
  const { stdout, exitCode } = await tryGit(args, { cwd, maxOutputBytes: MAX_LISTING_BYTES })
  if (exitCode === 0 && !/^\?/m.test(stdout)) return undefined
  // A diff downloads what it lacks in one request, and changes no file. Its other side is the empty tree.
  return `git -C ${quoteForShell(cwd)} diff --shortstat ${EMPTY_TREE} ${commit.slice(0, 10)}`
}

// --- internal ---

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** Six million objects. */
const MAX_LISTING_BYTES = 256 * 1024 * 1024
