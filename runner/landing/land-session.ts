import { DispatchError, exitCodes } from '#host/error.ts'
import { describeRemote, pushCommit, requirePush, type Transport } from '#host/git/upstream'
import { formatNames } from '#host/text.ts'
import type { WorkToApply } from '#session'
import {
  applyChange,
  type LandingMethod,
  type LandingStatus,
  type Replay,
  replayWork,
  requirePass,
} from '#session/landing'
import { cutNames, type Event } from '#session/log'
import { type Commit, createReference } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { verifyRecord } from '../rounds/verify-record.ts'
import { checkLanding } from './check-landing.ts'
import { type Authorship, composeMessage, composeTrailers, createCommit } from './commit.ts'
import { findEarlierLanding } from './earlier-landing.ts'
import { fetchTarget } from './fetch-target.ts'
import { readGates, refuseFilters, refuseLfs, refuseMissingContent, refuseUnjudged } from './refusals.ts'
import { getNextNumber, readResult } from './tries.ts'

/** Where and how the work of a session is to land. */
export interface LandingRequest extends Authorship {
  transport: Transport
  /** The branch of the remote. */
  branch: string
  method: LandingMethod
  /** Gates that the user has set for the project, besides those of the branch. */
  ownGates: string[]
  /** Find out all of it, and push nothing. */
  isDryRun: boolean
  /** Called with each step that takes a while. */
  say(text: string): void
}

/**
 * Bring the judged work onto a branch of the user's remote. Exit 5 without a valid PASS. The target is fetched into the session's own
 * repository; nothing touches the user's checkout, and no agent can write there. Only a commit that was checked is pushed, without
 * force. If the branch moves meanwhile, all of it begins again on the new tip.
 */
export async function landSession(context: RunnerContext, request: LandingRequest): Promise<LandingStatus> {
  const { paths } = context.session
  const { transport, branch, method, say } = request
  verifyRecord(context)
  const work = await requirePass(context.session, context.status)
  await refuseLfs(context, work)
  const remote = await describeRemote(transport)
  let missed: { tip: string; reason: string } | undefined
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    say(`Fetching ${branch} from ${transport.remote} …`)
    const target = await fetchTarget(context, request)
    const earlier = await findEarlierLanding(context, { remote, branch, target })
    if (earlier?.isNew) return readStatus(context) // What the branch has become since is not for this landing to say.
    if (earlier) return confirmLanded(context, branch, { work, target, judged: earlier.judged })
    // The push seemed to come too late, and yet nothing has moved: the remote has another reason.
    if (missed?.tip === target.commit) return recordRefusal(context, request, target, missed.reason)
    if (attempt === 1) await requirePush(paths.bareRepository, transport, { branch, tip: target.commit })
    await refuseUnjudged(context, request, work, target)
    const replay = await replayOn(context, request, work, target)
    if ('conflicts' in replay) return recordConflict(context, request, target, replay.conflicts)
    if (replay.tree === target.tree)
      return refuse(context, request, target, { cause: 'present', reason: 'the branch has all of this work already' })
    const head = { commit: replay.commit, tree: replay.tree }
    await refuseFilters(context, target, head)
    await refuseMissingContent(context, request, work.base, head)
    await createReference(paths, `landing-${getNextNumber(context)}`, head.commit)
    say(head.tree === work.tree ? 'The tree is the judged one.' : `Proving the contract on top of ${branch} …`)
    const gates = [...(await readGates(context, request, target)), ...request.ownGates]
    const { isDryRun } = request
    const candidate = { remote, branch, method, target, head, judged: work, gates, isDryRun }
    const checked = await checkLanding(context, candidate)
    if (checked.result !== 'ready' || isDryRun) return readResult(context, checked)
    say(`Pushing ${head.commit.slice(0, 10)} to ${branch} …`)
    const pushed = await pushCommit(paths.bareRepository, transport, { ...head, branch, expected: target.commit })
    if (pushed.kind === 'refused') return recordRefusal(context, request, target, pushed.reason)
    if (pushed.kind === 'pushed') {
      const { number } = checked
      return readResult(context, context.record({ type: 'landing.pushed', number, branch, ...head }))
    }
    missed = { tip: target.commit, reason: pushed.reason }
    say(`${branch} has moved meanwhile.`)
  }
  throw new DispatchError(`${branch} moved ${MAX_ATTEMPTS} times while the work was being checked`, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was pushed. Try again when it is quieter.',
  })
}

// --- internal ---

const MAX_ATTEMPTS = 20
const MAX_REASON_CHARS = 2000

function replayOn(context: RunnerContext, request: LandingRequest, work: WorkToApply, target: Commit): Promise<Replay> {
  return replayWork({
    repository: context.session.paths,
    work,
    target,
    method: request.method,
    message: composeMessage(context),
    trailers: composeTrailers(context, work),
    createCommit: commit => createCommit(context, request, commit),
  })
}

/** It landed before. Exit 5 where the branch does not have the work any more, for example after a revert. */
async function confirmLanded(
  { session, status }: RunnerContext,
  branch: string,
  { work, target, judged }: { work: WorkToApply; target: Commit; judged: Commit },
): Promise<LandingStatus> {
  const again = await applyChange(session.paths, { from: work.base, to: work.commit, onto: target.commit })
  const landed = status.landed.findLast(each => each.branch === branch)
  if (landed && 'tree' in again && again.tree === target.tree) return { ...landed, state: 'landed', reason: '' }
  const since = judged.commit === work.commit ? 'the branch has changed that since' : 'has done more since'
  throw new DispatchError(
    `session ${session.id} landed on ${branch} before, as ${landed?.commit.slice(0, 10)}, and ${since}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `A session lands once. To have the work done again: dispatch retry ${session.id.slice(-4)} --newest`,
    },
  )
}

function readStatus({ status }: RunnerContext): LandingStatus {
  if (status.landing) return status.landing
  throw new Error('a landing was recorded, and is not in the status')
}

/** Record why nothing lands. */
function refuse(
  context: RunnerContext,
  { branch, isDryRun }: LandingRequest,
  target: Commit,
  why: Pick<Event<'landing.refused'>, 'cause' | 'reason'> & { files?: string[] },
): LandingStatus {
  const event = context.record({
    ...{ type: 'landing.refused', branch, target: target.commit, files: [], ...why },
    ...(isDryRun && { isDryRun }),
  })
  return readResult(context, event)
}

function recordRefusal(context: RunnerContext, request: LandingRequest, target: Commit, words: string): LandingStatus {
  const reason = `${request.transport.remote} refused the push: ${words}`.slice(0, MAX_REASON_CHARS)
  return refuse(context, request, target, { cause: 'refused', reason })
}

function recordConflict(
  context: RunnerContext,
  request: LandingRequest,
  target: Commit,
  conflicts: string[],
): LandingStatus {
  const reason =
    conflicts.length > 0
      ? `the work and the branch changed the same places: ${formatNames(conflicts)}`
      : 'its commits do not merge one by one'
  return refuse(context, request, target, { cause: 'conflict', reason, files: cutNames(conflicts) })
}
