import type { NewCommit } from '#host/git/user'
import { sanitize } from '#host/text.ts'
import type { SessionRepository } from '../repository/bare-git.ts'
import type { Commit } from '../repository/repository.ts'
import { applyChange } from './merge-trees.ts'
import { listWorkCommits, type WorkCommit } from './work-commits.ts'

/** How the work comes onto the branch: its commits one after the other, as one commit, or by a merge commit. */
export const landingMethods = ['squash', 'rebase', 'merge'] as const
export type LandingMethod = (typeof landingMethods)[number]

/** The author of what lands: the user, the worker, or the user with the worker as co-author. */
export const landingAuthors = ['me', 'worker', 'both'] as const
export type LandingAuthor = (typeof landingAuthors)[number]

/** The work of a session, and the commit of the branch on which it is to land. */
export interface ReplayRequest {
  repository: SessionRepository
  work: { base: string; commit: string; tree: string }
  target: Commit
  method: LandingMethod
  /** The message of a squashed commit or of a merge. */
  message: string
  /** Lines at the end of each message. */
  trailers: string
  /** Creates a commit in the repository, in the user's name unless another author is named. */
  createCommit(commit: NewCommit): Promise<string>
}

/** The commit that would land, the target itself where it has all of it; or the files that do not merge, and the commit that changed them. */
export type Replay = Commit | { conflicts: string[]; commit: string }

/**
 * Put the work on top of the target, without a work tree. Each commit of the work is merged by itself. The result does not depend
 * on the method: if the commits one by one lead to another tree than the whole, that is a conflict.
 */
export async function replayWork(request: ReplayRequest): Promise<Replay> {
  const { repository, work, target, method, message, trailers, createCommit } = request
  const whole = await applyChange(repository, { from: work.base, to: work.commit, onto: target.commit })
  if ('conflicts' in whole) return { conflicts: whole.conflicts, commit: work.commit }
  const { tree } = whole
  const last = { message: appendTrailers(message, trailers) }
  if (method === 'merge')
    return { commit: await createCommit({ tree, parents: [target.commit, work.commit], ...last }), tree }
  const commits = method === 'rebase' ? await listWorkCommits(repository, work) : []
  // A merge inside the work, or a first commit of another history, has no single change that could be applied again.
  if (commits.length <= 1 || commits.some(({ parents }) => parents.length !== 1))
    return { commit: await createCommit({ tree, parents: [target.commit], ...pickSingle(commits, request) }), tree }
  const tip = await replayCommits(commits, request)
  return 'conflicts' in tip || tip.tree === tree ? tip : { conflicts: [], commit: work.commit }
}

/**
 * A message with these lines as its last paragraph. What the message itself says with such names goes, and control characters are
 * made visible: agents wrote it, and it is published in the user's name. Pure.
 */
export function appendTrailers(message: string, trailers: string): string {
  const own = sanitize(message.replace(/\r\n?/g, '\n')).replace(
    /^[ \t]*dispatch-(session|verdict|tree)[ \t]*:.*(?:\n|$)/gim,
    '',
  )
  return `${own.trimEnd()}\n\n${trailers}\n`
}

// --- internal ---

/** The one commit of the work as it is, or a squashed one. */
function pickSingle([only, ...others]: WorkCommit[], { message, trailers }: ReplayRequest) {
  if (only === undefined || others.length > 0) return { message: appendTrailers(message, trailers) }
  const { author, authorDate } = only
  return { message: appendTrailers(only.message, trailers), author, authorDate }
}

async function replayCommits(commits: WorkCommit[], request: ReplayRequest): Promise<Replay> {
  const { repository, target, trailers, createCommit } = request
  let tip: Commit = target
  for (const { commit, parents, message, author, authorDate } of commits) {
    const applied = await applyChange(repository, { from: parents[0] ?? '', to: commit, onto: tip.commit })
    if ('conflicts' in applied) return { conflicts: applied.conflicts, commit }
    if (applied.tree === tip.tree) continue // The target has this change already.
    const text = appendTrailers(message, trailers)
    const created = await createCommit({ tree: applied.tree, parents: [tip.commit], message: text, author, authorDate })
    tip = { commit: created, tree: applied.tree }
  }
  return tip
}
