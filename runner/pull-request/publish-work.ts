import { DispatchError, exitCodes } from '#host/error.ts'
import { isAncestor, publishBranch, readTip, type Transport } from '#host/git/upstream'
import { findWorkToApply, type WorkToApply } from '#session'
import { createReference } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { type Authorship, composeMessage, composeTrailers, createCommit } from '../landing/commit.ts'
import { fetchTarget } from '../landing/fetch-target.ts'
import { refuseFilters, refuseLfs } from '../landing/refusals.ts'
import { verifyRecord } from '../rounds/verify-record.ts'
import { listPrepared } from './prepared.ts'
import { createUnprovedError } from './unproved.ts'

/** What was pushed. */
export interface PublishedWork {
  commit: string
  tree: string
}

/** What a forge has made of it. */
export interface OpenedPullRequest {
  number: number
  url: string
  base: string
  /** Has dispatch made a draft of it? */
  isDraft: boolean
  isNew: boolean
  /** The issues that it closes. */
  closes: string[]
}

/** Where the work goes for a pull request. */
export interface PublishRequest extends Authorship {
  /** The remote that has the branch into which it is to be merged. */
  transport: Transport
  base: string
  /** The remote to which the branch is pushed: of a fork, another one. */
  pushTransport: Transport
  /** The address of that remote, as it is recorded. */
  remote: string
  branch: string
  /** Commits of earlier sessions on this branch, which may be replaced too. */
  replaceable: string[]
  /** Publish work without a valid PASS too. */
  allowsUnproved: boolean
  say(text: string): void
  /** Open the pull request, or bring it up to date. Called once the branch is there. */
  open(work: PublishedWork): Promise<OpenedPullRequest>
}

/**
 * Push the work as a branch and have a pull request opened for it: one commit of the user, with the judged tree, on the commit that the
 * session started from. What is on the branch is replaced only if this session, or an earlier one for the same pull request, has put it
 * there. Killed at any moment and run again, it goes on where it was.
 */
export async function publishWork(context: RunnerContext, request: PublishRequest): Promise<OpenedPullRequest> {
  const { session } = context
  verifyRecord(context)
  const work = await findWorkToApply(session, context.status)
  if (work.warning !== undefined && !request.allowsUnproved) throw createUnprovedError(session.id, work.warning)
  await refuseLfs(context, work)
  request.say(`Fetching ${request.base} from ${request.transport.remote} …`)
  await requireKnownBase(context, request, work)
  const commit = await prepareCommit(context, request, work)
  await pushBranch(context, request, commit)
  const opened = await request.open({ commit, tree: work.tree })
  const { number, base, isDraft } = opened
  const last = context.status.pullRequest
  const hasChanged = last?.number !== number || last.commit !== commit || last.base !== base
  if (hasChanged || last.isDraft !== isDraft || (last.closes ?? []).join() !== opened.closes.join())
    context.record({ type: 'pull-request.opened', branch: request.branch, commit, tree: work.tree, ...opened })
  return opened
}

// --- internal ---

/** A pull request would publish commits of the user that the remote does not have. What dispatch has pushed for it is there. */
async function requireKnownBase(context: RunnerContext, request: PublishRequest, work: WorkToApply): Promise<void> {
  const { transport, base, replaceable } = request
  const { bareRepository } = context.session.paths
  const target = await fetchTarget(context, { transport, branch: base })
  if (!replaceable.includes(work.base) && !(await isAncestor(bareRepository, work.base, target.commit)))
    throw new DispatchError(
      `session ${context.session.id} started from commit ${work.base.slice(0, 10)}, which is not on ${base} of ${transport.remote}`,
      {
        exitCode: exitCodes.conflict,
        remedy: 'Push that commit first, or name the branch that has it: --base BRANCH',
      },
    )
  await refuseFilters(context, { commit: work.base, tree: work.base }, work)
}

/** The commit of an earlier try with the same tree, or a new one, recorded before anything is pushed. */
async function prepareCommit(context: RunnerContext, request: PublishRequest, work: WorkToApply): Promise<string> {
  const { session, status } = context
  const { branch, remote } = request
  const given = status.verdict?.verdict ?? null
  const verdict = work.warning !== undefined && given === 'PASS' ? null : given // A PASS that holds no more is no verdict.
  const last = listPushed(context, request).at(-1)
  if (last !== undefined && last.tree === work.tree && last.verdict === verdict) return last.commit
  const message = `${composeMessage(context).trimEnd()}\n\n${composeTrailers(context, work)}\n`
  const commit = await createCommit(context, request, { tree: work.tree, parents: [work.base], message })
  await createReference(session.paths, 'pull-request', commit)
  context.record({ type: 'pull-request.prepared', remote, branch, commit, tree: work.tree, verdict })
  return commit
}

function listPushed({ session }: RunnerContext, { remote, branch }: PublishRequest) {
  return listPrepared(session).filter(event => event.remote === remote && event.branch === branch)
}

async function pushBranch(context: RunnerContext, request: PublishRequest, commit: string): Promise<void> {
  const { pushTransport, branch, replaceable, say } = request
  const { bareRepository } = context.session.paths
  const tip = await readTip(bareRepository, pushTransport, branch)
  if (tip === commit) return
  const own = [...listPushed(context, request).map(event => event.commit), ...replaceable]
  if (tip !== undefined && !own.includes(tip)) throw createForeignError(request, tip)
  say(`Pushing ${commit.slice(0, 10)} to ${branch} …`)
  const pushed = await publishBranch(bareRepository, pushTransport, { commit, branch, expected: tip })
  if (pushed.kind === 'pushed') return
  if (pushed.kind === 'moved') throw createForeignError(request, 'moved meanwhile')
  throw new DispatchError(`${pushTransport.remote} refused the push: ${pushed.reason}`, {
    exitCode: exitCodes.conflict,
    remedy: 'If you may not push there, fork the repository, and name your fork: git config remote.pushDefault REMOTE',
  })
}

function createForeignError({ branch, pushTransport }: PublishRequest, tip: string): DispatchError {
  return new DispatchError(
    `branch ${branch} of ${pushTransport.remote} has commits that this session did not push (${tip.slice(0, 40)})`,
    {
      exitCode: exitCodes.conflict,
      remedy: 'Nothing is overwritten. Take another name: --branch NAME',
    },
  )
}
