import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '../../error.ts'
import { isProgram, runProgram } from '../../exec.ts'
import { sanitize } from '../../text.ts'
import { MINUTE_MS } from '../../time.ts'
import { buildUserEnvironment, type NewCommit, runUserGit } from './user-commit.ts'

/** The hooks that git runs for a commit in the user's repository. */
export interface CommitHooks {
  folder: string
  names: string[]
  /** Are they files of the work tree, as husky's are? */
  isInWorkTree: boolean
}

/** The commit hooks of a checkout, wherever core.hooksPath says that they are; undefined without any. */
export async function findCommitHooks(checkout: string): Promise<CommitHooks | undefined> {
  const ran = await runProgram('git', ['rev-parse', '--git-path', 'hooks'], {
    cwd: checkout,
    env: buildUserEnvironment(false),
    timeoutMs: MINUTE_MS,
  })
  if (ran.exitCode !== 0) return undefined
  const folder = path.resolve(checkout, ran.stdout.replace(/\n$/, ''))
  const names = HOOK_NAMES.filter(name => isProgram(path.join(folder, name)))
  if (names.length === 0) return undefined
  const relative = path.relative(fs.realpathSync(checkout), fs.realpathSync(folder))
  return { folder, names, isInWorkTree: !/^(\.\.|\.git)(\/|$)/.test(relative) }
}

/**
 * Run the user's commit hooks around `create`, as `git commit` would, in a temporary work tree with the files of the commit.
 * `create` gets the message as the hooks left it. `anchor` is any commit, for a work tree to begin with. Exit 5 when a hook
 * refuses, or changes a file.
 */
export async function withCommitHooks(
  repository: string,
  { folder: hooksFolder, names }: CommitHooks,
  { tree, parents, message }: NewCommit,
  anchor: string,
  create: (message: string) => Promise<string>,
): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-apply-'))
  const workTree = path.join(folder, 'work')
  const messageFile = path.join(folder, 'message')
  const run = async (name: (typeof HOOK_NAMES)[number], ...args: string[]) => {
    if (!names.includes(name)) return
    const ran = await runProgram(path.join(hooksFolder, name), args, {
      cwd: workTree,
      env: { ...buildUserEnvironment(false), GIT_INDEX_FILE: await readIndexPath(workTree) },
      timeoutMs: HOOK_TIMEOUT_MS,
    })
    if (ran.exitCode === 0 || name === 'post-commit') return
    const output = sanitize(`${ran.stdout}${ran.stderr}`).trim().split('\n').slice(-MAX_HOOK_LINES).join('\n')
    const ending = ran.timedOut ? 'took too long' : `ended with ${ran.exitCode ?? ran.signal ?? ran.startError}`
    throw createHookError(`your ${name} hook ${ending}${output === '' ? '' : `:\n${output}`}`)
  }
  try {
    await addWorkTree(repository, workTree, { tree, parents, anchor })
    await run('pre-commit')
    const treeAfter = await runOrFail(['write-tree'], workTree)
    if (treeAfter !== tree)
      throw createHookError(`your pre-commit hook changed the files: tree ${treeAfter} instead of ${tree}`)
    fs.writeFileSync(messageFile, message, { mode: 0o600 })
    await run('prepare-commit-msg', messageFile, 'message')
    await run('commit-msg', messageFile)
    const commit = await create(fs.readFileSync(messageFile, 'utf8'))
    await runOrFail(['update-ref', '--no-deref', 'HEAD', commit], workTree)
    await run('post-commit')
    return commit
  } finally {
    await runUserGit(['worktree', 'remove', '--force', workTree], { cwd: repository })
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

const HOOK_NAMES = ['pre-commit', 'prepare-commit-msg', 'commit-msg', 'post-commit'] as const
const HOOK_TIMEOUT_MS = 10 * MINUTE_MS
const MAX_HOOK_LINES = 20
/** Never created: the commit is not made on a branch. */
const UNBORN_BRANCH = 'refs/heads/dispatch-apply-unborn'

/** A work tree with the files of `tree` staged on top of the parent, or on no commit at all. */
async function addWorkTree(
  repository: string,
  workTree: string,
  { tree, parents, anchor }: { tree: string; parents: string[]; anchor: string },
): Promise<void> {
  const options = ['--quiet', '--detach', '--no-checkout']
  await runOrFail(['worktree', 'add', ...options, workTree, parents[0] ?? anchor], repository)
  if (parents.length === 0) await runOrFail(['symbolic-ref', 'HEAD', UNBORN_BRANCH], workTree)
  await runOrFail(['-c', 'submodule.recurse=false', 'read-tree', '--reset', '-u', tree], workTree)
}

async function readIndexPath(workTree: string): Promise<string> {
  return path.resolve(workTree, await runOrFail(['rev-parse', '--git-path', 'index'], workTree))
}

/** Large files stay pointers: hooks do not need them, and fetching them could take long. */
async function runOrFail(args: string[], cwd: string): Promise<string> {
  const ran = await runUserGit(args, { cwd, timeoutMs: HOOK_TIMEOUT_MS }, { GIT_LFS_SKIP_SMUDGE: '1' })
  if (ran.exitCode === 0) return ran.stdout.replace(/\n$/, '')
  throw createHookError(
    `the work tree for your hooks could not be made: ${ran.stderr.trim() || `exit ${ran.exitCode}`}`,
  )
}

function createHookError(message: string): DispatchError {
  return new DispatchError(message, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was changed. To leave your hooks out: --no-hooks',
  })
}
