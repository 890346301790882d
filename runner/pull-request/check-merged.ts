import { DispatchError, exitCodes } from '#host/error.ts'
import { git } from '#host/git'
import { isAncestor, type Transport } from '#host/git/upstream'
import { findWorkToApply } from '#session'
import type { LandingMethod, LandingStatus } from '#session/landing'
import { type Commit, createReference } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { checkLanding } from '../landing/check-landing.ts'
import { fetchTarget } from '../landing/fetch-target.ts'
import { readGates, refuseMissingContent } from '../landing/refusals.ts'
import { getNextNumber, readResult } from '../landing/tries.ts'
import { verifyRecord } from '../rounds/verify-record.ts'

/** What the forge has merged. */
export interface MergedRequest {
  checkout: string
  transport: Transport
  /** The address of the remote, as it is recorded. */
  remote: string
  branch: string
  method: LandingMethod
  /** Gates that the user has set for the project, besides those of the branch. */
  ownGates: string[]
  /** The commit that the forge has made on the branch. */
  commit: string
  say(text: string): void
}

/**
 * Look at what the forge has put on the branch. It has made the commit, so nothing has proved its tree: the gates run on it, and the
 * contract is proved again where it is not the judged one. It is recorded like a landing, whatever comes out; what could not be decided
 * is looked at again the next time. Exit 5 where the branch does not have the commit.
 */
export async function checkMerged(context: RunnerContext, request: MergedRequest): Promise<LandingStatus> {
  const { session, status } = context
  const { branch, commit, method, remote, say } = request
  verifyRecord(context)
  const known = status.landing
  if (known?.commit === commit && (known.state === 'landed' || known.state === 'unproved')) return known
  const judged = await findWorkToApply(session, status)
  say(`Fetching ${branch}, to see what is on it …`)
  const tip = await fetchTarget(context, request)
  await requireOnBranch(context, request, tip)
  const head = await readCommit(context, commit)
  const target = await readCommit(context, `${commit}^`)
  await refuseMissingContent(context, request, judged.base, head)
  await createReference(session.paths, `landing-${getNextNumber(context)}`, commit)
  say(
    head.tree === judged.tree
      ? 'The tree is the judged one.'
      : 'Proving the contract on the tree that the forge has made …',
  )
  const gates = [...(await readGates(context, request, target)), ...request.ownGates]
  const candidate = { remote, branch, method, target, head, judged, gates, isOnBranch: true }
  const checked = await checkLanding(context, candidate)
  if (checked.result !== 'ready') return readResult(context, checked)
  const { number } = checked
  return readResult(context, context.record({ type: 'landing.pushed', number, branch, ...head }))
}

// --- internal ---

async function readCommit({ session }: RunnerContext, name: string): Promise<Commit> {
  const read = (what: string) =>
    git(['--git-dir', session.paths.bareRepository, 'rev-parse', '--verify', `${name}^{${what}}`])
  return { commit: await read('commit'), tree: await read('tree') }
}

async function requireOnBranch(
  { session }: RunnerContext,
  { branch, commit, transport }: MergedRequest,
  tip: Commit,
): Promise<void> {
  if (await isAncestor(session.paths.bareRepository, commit, tip.commit)) return
  throw new DispatchError(
    `${branch} of ${transport.remote} does not have commit ${commit.slice(0, 10)}, which the pull request was merged as`,
    {
      exitCode: exitCodes.conflict,
      remedy: 'It was removed from the branch since, or not fetched yet. Look at the branch.',
    },
  )
}
