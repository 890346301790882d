import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { SECOND_MS } from '../time.ts'
import { buildGitEnvironment, createMissingGitError, type RepositoryCommit, tryGit } from './git.ts'
import { findDownloadCommand } from './partial-clone.ts'
import { findTrustCommand } from './trust.ts'
import { listUncommitted } from './uncommitted.ts'

/** The repository of the user that a session starts from. */
export interface UserRepository extends RepositoryCommit {
  /** The branch at the commit that was checked out; null for a commit without one. */
  branch: string | null
  /** The number of changed and untracked files. They are left out. */
  uncommittedFiles: number
  /** Where in it the person was, as a path from its top such as `packages/web`; missing at the top. */
  subfolder?: string
}

/**
 * The repository with this folder, or with the current one; null without one, or when it is inside an excluded
 * folder. It is only read, and none of its hooks run. Exit 2 when it cannot be used.
 */
export async function findRepository(
  folder: string | undefined,
  excludedFolders: string[],
): Promise<UserRepository | null> {
  const cwd = folder ?? process.cwd()
  const toplevel = await tryGit(['rev-parse', '--show-toplevel'], { cwd })
  if (toplevel.startError && fs.existsSync(cwd)) throw createMissingGitError()
  if (toplevel.exitCode !== 0) {
    const elsewhere = /not a git repository: (.+)/.exec(toplevel.stderr)?.[1]
    if (elsewhere !== undefined && fs.existsSync(cwd)) throw createLostError(cwd, elsewhere)
    const isMissing = !fs.existsSync(cwd) || /not a git repository|must be run in a work tree/.test(toplevel.stderr)
    if (isMissing && folder === undefined) return null
    throw isMissing
      ? createUnusableError(`${folder} is not a git repository with a work tree`, 'Name its top folder')
      : createUnreadableError(folder, toplevel.stderr.trim())
  }
  const top = toplevel.stdout.replace(/\n$/, '')
  const trustCommand = await findTrustCommand(cwd)
  if (trustCommand !== undefined)
    throw createUnusableError(
      `git does not read ${top}, because it belongs to another user (uid ${findForeignOwner(top)})`,
      `If you trust it, run \`${trustCommand}\``,
    )
  const isExcluded = excludedFolders.some(excluded => top === excluded || top.startsWith(`${excluded}/`))
  if (folder === undefined && isExcluded) return null
  // One command, so that the branch is that of the commit.
  const head = await tryGit(['rev-parse', 'HEAD^{commit}', '--symbolic-full-name', 'HEAD'], { cwd: top })
  if (head.exitCode !== 0) throw createUnusableError(`${top} has no commit yet`, 'Commit something first')
  const [commit = '', name = ''] = head.stdout.split('\n')
  const branch = name.startsWith(BRANCH_PREFIX) ? name.slice(BRANCH_PREFIX.length) : null
  if (commit.length > SHA1_HEX_DIGITS)
    throw createUnusableError(
      `${top} names its objects by SHA-256, which dispatch does not support yet`,
      'Work on a clone of it in the usual format (SHA-1)',
    )
  const downloadCommand = await findDownloadCommand({ path: top, commit })
  if (downloadCommand !== undefined)
    throw createUnusableError(
      `${top} is a partial clone that lacks files of ${commit.slice(0, 10)}, and dispatch downloads nothing`,
      `Download them: \`${downloadCommand}\``,
    )
  const uncommittedFiles = (await listUncommitted(top, await readUserIgnores())).length
  const subfolder = path.relative(top, fs.realpathSync(cwd))
  const isBelow = subfolder !== '' && !subfolder.startsWith('..')
  return { path: top, commit, branch, uncommittedFiles, ...(isBelow && { subfolder }) }
}

// --- internal ---

const BRANCH_PREFIX = 'refs/heads/'
const SHA1_HEX_DIGITS = 40

/** The owner of the work tree, or of its `.git` if only that is another user's. */
function findForeignOwner(top: string): number | undefined {
  const owners = [top, path.join(top, '.git')].map(file => fs.statSync(file, { throwIfNoEntry: false })?.uid)
  return owners.find(uid => uid !== process.geteuid?.()) ?? owners[0]
}

/** For a work tree or a submodule whose `.git` is a file that leads nowhere. */
function createLostError(folder: string, gitFolder: string): DispatchError {
  return createUnusableError(
    `the repository of ${folder} is in ${gitFolder}, which does not exist here`,
    'Mount that folder too, or run `git worktree repair` with this work tree in the repository if that was moved',
  )
}

function createUnreadableError(folder: string | undefined, reason: string): DispatchError {
  const isNewer = /unknown repository extension|expected git repo version/i.test(reason)
  return createUnusableError(
    `git cannot read the repository ${folder ?? 'here'}: ${reason}`,
    isNewer ? 'A newer git has made it: update git' : 'Run git status there to see why',
  )
}

function createUnusableError(message: string, remedy: string): DispatchError {
  return new DispatchError(message, { exitCode: exitCodes.usage, remedy: `${remedy}.` })
}

/** The global ignore file of the user, the only part of their configuration that is used. It is only read. */
async function readUserIgnores(): Promise<string[]> {
  const { GIT_CONFIG_GLOBAL: _, ...env } = buildGitEnvironment()
  const args = ['config', '--global', '--type=path', '--get', 'core.excludesFile']
  const file = (await runProgram('git', args, { env, timeoutMs: 10 * SECOND_MS })).stdout.trim()
  return file === '' ? [] : ['-c', `core.excludesFile=${file}`]
}
