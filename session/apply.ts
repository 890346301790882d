import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import {
  type Checkout,
  countCommits,
  createBranch,
  fetchCommit,
  findCheckout,
  findWorktree,
  isBranchName,
  resolveCommit,
  resolveTree,
} from '#host/git'
import { formatNames } from '#host/text.ts'
import { readVerdictRecord } from './evidence/verdict.ts'
import type { Session } from './manifest.ts'
import { listChangesSinceVerdict } from './repository/diff.ts'
import { listInboxChanges } from './repository/inbox-changes.ts'
import { applyLfsContent } from './repository/lfs.ts'
import type { SessionStatus } from './status/status-types.ts'

/** The work of a session, as it can be applied to the user's repository. */
export interface WorkToApply {
  commit: string
  tree: string
  base: string
  /** Files of outputs/ that changed since the verdict. */
  changedFiles: string[]
  /** Why this is not a valid PASS; undefined when it is one. */
  warning: string | undefined
}

/** How the work comes: as the workers' own commits, as the same commits in the user's name, or as one commit of the user. */
export type ApplyStyle = 'as it is' | 'in your name' | 'squashed'

/**
 * The judged commit, or the last one of a worker. Exit 4 without either, 13 when the record contradicts itself, and 5 for work in
 * `.agent-queue/`, which would bring tasks into your checkout.
 */
export async function findWorkToApply({ paths, id }: Session, status: SessionStatus): Promise<WorkToApply> {
  const { verdict, acceptedCommit } = status
  const commit = verdict?.commit ?? acceptedCommit
  const base = status.base?.commit
  if (commit === undefined || base === undefined || commit === base)
    throw new DispatchError(`session ${id} has no work to apply yet`, {
      exitCode: exitCodes.notFound,
      remedy: `To see how far it is: dispatch show ${id.slice(-4)}`,
    })
  const tree = await resolveTree(paths.bareRepository, commit)
  const record = readVerdictRecord(paths)
  const isContradicted =
    verdict && (record?.commit !== verdict.commit || record?.tree !== verdict.tree || tree !== verdict.tree)
  if (tree === undefined || isContradicted)
    throw new DispatchError(
      `${paths.verdictRecord}, ${paths.events} and ${paths.bareRepository} disagree about commit ${commit.slice(0, 10)}`,
      {
        exitCode: exitCodes.integrity,
        remedy: `The session record was modified. Do not rely on this verdict. To see what else is wrong: dispatch audit ${id.slice(-4)}`,
      },
    )
  const inboxFiles = await listInboxChanges(paths, base, commit)
  if (inboxFiles.length > 0)
    throw new DispatchError(
      `the work of ${id} writes in .agent-queue/, from which dispatch takes tasks: ${formatNames(inboxFiles)}`,
      {
        exitCode: exitCodes.conflict,
        remedy: `Have it done again without these files: dispatch retry ${id.slice(-4)}`,
      },
    )
  const changedFiles = await listChangesSinceVerdict(paths, status)
  return { commit, tree, base, changedFiles, warning: describeWarning(status, changedFiles) }
}

/** Why this is not a valid PASS, as a sentence; undefined when it is one. Pure. */
export function describeWarning(
  { verdict, phase, problem }: Pick<SessionStatus, 'verdict' | 'phase' | 'problem'>,
  changedFiles: string[],
): string | undefined {
  if (!verdict)
    return 'There is no verdict: this is what the workers have handed in so far, and it has not been judged.'
  if (!verdict.isFinal) return `The verdict of round ${verdict.round} is ${verdict.verdict}, and it is not final.`
  if (verdict.verdict !== 'PASS') return `The verdict is ${verdict.verdict}: ${verdict.reason}.`
  if (phase === 'needs you') return `The verdict was PASS, but since then the session needs you: ${problem}.`
  if (changedFiles.length > 0)
    return `The verdict was PASS, but outputs/ changed since (${formatNames(changedFiles)}). The branch has the judged version.`
  return verdict.voidReason === undefined ? undefined : `The verdict was PASS, but it is void: ${verdict.voidReason}.`
}

/**
 * The repository to apply to: the folder a person named, else the one the session started from, else the current
 * folder's unless it is inside `excludedFolders`. Exit 4 when the folder is not a repository, 2 when there is nothing to
 * choose from.
 */
export async function findTargetRepository(
  { manifest, id }: Session,
  namedFolder: string | undefined,
  excludedFolders: string[],
): Promise<Checkout> {
  const folder = namedFolder ?? manifest.repository?.path
  const checkout = await findCheckout(path.resolve(folder ?? '.'))
  const isExcluded = excludedFolders.some(excluded => `${checkout?.path}/`.startsWith(`${excluded}/`))
  if (checkout && (folder !== undefined || !isExcluded)) return checkout
  if (folder !== undefined)
    throw new DispatchError(`${folder} is not a git repository with a work tree`, {
      exitCode: exitCodes.notFound,
      remedy: namedFolder === undefined ? 'It was when the session started. If it has moved: --repo DIR' : '',
    })
  throw new DispatchError(`session ${id} started from an empty repository`, {
    exitCode: exitCodes.usage,
    remedy: 'Choose a target: --repo DIR, or run this inside a repository. To create one: git init DIR',
  })
}

/**
 * Does the branch have this work already? Exit 2 for an invalid name, 5 for one in other use. Work in the user's name is known
 * by its tree and by how many commits it is, because each time it would be another commit.
 */
export async function findApplied(
  session: Session,
  work: WorkToApply,
  { path: folder }: Checkout,
  branch: string,
  style: ApplyStyle,
): Promise<string | undefined> {
  if (!(await isBranchName(branch)))
    throw new DispatchError(`"${branch}" is not a valid branch name`, {
      exitCode: exitCodes.usage,
      remedy: 'Choose another name: --branch NAME',
    })
  const existingCommit = await resolveCommit(folder, `refs/heads/${branch}`)
  if (existingCommit !== undefined && (await isThisWork(session, work, folder, existingCommit, style)))
    return existingCommit
  const worktree = await findWorktree(folder, branch)
  if (existingCommit === undefined && worktree === undefined) return undefined
  const position = existingCommit === undefined ? 'without a commit' : `at ${existingCommit.slice(0, 10)}`
  const where = worktree === undefined ? '' : `, checked out in ${worktree}`
  throw new DispatchError(
    `branch ${branch} already exists in ${folder} (${position}${where}); the work is ${work.commit.slice(0, 10)}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `Choose another name: --branch ${branch}-2, or rename yours: git branch -m …`,
    },
  )
}

/**
 * Fetch the work into the user's repository, and create the branch once its tree is the judged one. `rewrite` makes other
 * commits of it; whatever it makes must have the same tree. Returns the commit of the branch.
 */
export async function applyWork(
  { paths }: Session,
  work: WorkToApply,
  { path: folder }: Checkout,
  branch: string,
  rewrite = async () => work.commit,
): Promise<string> {
  await fetchCommit(paths.bareRepository, work.commit, folder)
  await requireTree(folder, work.commit, work.tree)
  await applyLfsContent(paths, work, folder)
  const commit = await rewrite()
  await requireTree(folder, commit, work.tree)
  const refusal = await createBranch(folder, branch, commit)
  if (refusal !== undefined)
    throw new DispatchError(`git did not create branch ${branch} in ${folder}: ${refusal}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Choose another name: --branch NAME',
    })
  return commit
}

// --- internal ---

async function requireTree(folder: string, commit: string, expected: string): Promise<void> {
  const tree = await resolveTree(folder, commit)
  if (tree === expected) return
  throw new DispatchError(`${folder} received tree ${tree} instead of ${expected}`, {
    exitCode: exitCodes.integrity,
    remedy: 'No branch was created. Do not rely on this verdict.',
  })
}

async function isThisWork(
  { manifest }: Session,
  work: WorkToApply,
  folder: string,
  existing: string,
  style: ApplyStyle,
): Promise<boolean> {
  if (style === 'as it is' || existing === work.commit) return style === 'as it is' && existing === work.commit
  if ((await resolveTree(folder, existing)) !== work.tree) return false
  const base = manifest.repository === null ? undefined : work.base
  const count = await countCommits(folder, existing, base)
  return count !== undefined && count === (style === 'squashed' ? 1 : await countCommits(folder, work.commit, base))
}
