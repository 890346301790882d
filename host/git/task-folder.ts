import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { listNames } from '../fs/files.ts'
import { formatNames } from '../text.ts'
import { findRepository, type UserRepository } from './find-repository.ts'
import { tryGit } from './git.ts'

/**
 * The repository for a task: that of the folder, or of the current one. Null in an empty folder, where work begins with
 * nothing. Exit 2 for a folder with files but without a repository: its files would be missing from the work. `isEarlier`: it was
 * chosen for an earlier attempt at the task, so there is no choice of an empty one.
 */
export async function findTaskRepository(
  folder: string | undefined,
  excludedFolders: string[],
  isEarlier = false,
): Promise<UserRepository | null> {
  const advice = isEarlier ? '' : ' To begin with an empty repository instead: --no-repo'
  const repository = await findRepository(folder, excludedFolders).catch((error: unknown) => {
    if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.usage) throw error
    throw new DispatchError(error.message, { exitCode: error.exitCode, remedy: `${error.remedy}${advice}` })
  })
  const cwd = fs.realpathSync(folder ?? process.cwd())
  const isExcluded = excludedFolders.some(excluded => `${cwd}/`.startsWith(`${excluded}/`))
  if (repository !== null || isExcluded) return repository
  const problem = await describeMissingRepository(cwd)
  if (problem === undefined) return null
  throw new DispatchError(problem.message, {
    exitCode: exitCodes.usage,
    remedy: `${problem.remedy}${advice}`,
  })
}

/** The same repository at another commit than its HEAD, for this branch. Exit 4 if it does not have that commit. */
export async function chooseCommit(
  repository: UserRepository,
  { commit, branch }: Pick<UserRepository, 'commit' | 'branch'>,
): Promise<UserRepository> {
  const found = await tryGit(['cat-file', '-e', `${commit}^{commit}`], { cwd: repository.path })
  if (found.exitCode === 0) return { ...repository, commit, branch, uncommittedFiles: 0 }
  throw new DispatchError(`${repository.path} does not have the commit ${commit.slice(0, 10)} any more`, {
    exitCode: exitCodes.notFound,
    remedy: 'Start from its current commit: --newest',
  })
}

/** Why no task can begin in a folder that is no work tree, and where it can; undefined if the folder is empty. */
export async function describeMissingRepository(cwd: string): Promise<{ message: string; remedy: string } | undefined> {
  const worktrees = await listWorktrees(cwd)
  if (worktrees !== undefined)
    return {
      message: `${cwd} has a repository, but no files of it are checked out here`,
      remedy:
        worktrees.length > 0
          ? `Go to one of its work trees, or name it with --repo: ${formatNames(worktrees)}.`
          : 'Clone it, and go to the clone.',
    }
  const names = listNames(cwd).filter(name => !ignoredNames.has(name))
  if (names.length === 0) return undefined
  const repositories = names.filter(name => fs.existsSync(path.join(cwd, name, '.git')))
  if (repositories.length > 0)
    return {
      message: `${cwd} is no git repository, but contains some`,
      remedy: `Go to one, or name it with --repo: ${formatNames(repositories)}.`,
    }
  return {
    message: `${cwd} has files, but is no git repository: the work would begin without them`,
    remedy: 'Make it one: git init && git add --all && git commit -m "Start".',
  }
}

// --- internal ---

/** What a desktop leaves in a folder that its user sees as empty. */
const ignoredNames = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', '.directory', '.localized'])

/** The work trees of a repository without one here, such as a bare repository; undefined outside of a repository. */
async function listWorktrees(cwd: string): Promise<string[] | undefined> {
  const listed = await tryGit(['worktree', 'list', '--porcelain'], { cwd })
  if (listed.exitCode !== 0) return undefined
  return listed.stdout
    .split('\n\n')
    .filter(block => block !== '' && !/^bare$/m.test(block))
    .flatMap(block => /^worktree (.+)$/m.exec(block)?.[1] ?? [])
    .filter(folder => fs.existsSync(folder))
}
