import { DispatchError, exitCodes } from '#host/error.ts'
import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'

/** How exactly a commit is merged. */
export interface MergePlan {
  commit: string
  method: 'merge' | 'squash' | 'rebase'
  /** Its branch has a merge queue, into which it goes. */
  hasQueue: boolean
}

/** `moved`: something else came onto the branch in the same moment, so it can be asked for again. */
export type MergeAnswer = 'asked for' | 'moved'

/**
 * Merge exactly this commit, or put it into the merge queue. A refusal, and an answer that was lost, are compared with what GitHub has done.
 * Exit 5 where it refuses.
 */
export async function mergePullRequest(
  forge: Forge,
  { number, nodeId }: { number: number; nodeId: string },
  plan: MergePlan,
): Promise<MergeAnswer> {
  const { repository, request } = forge
  const { commit, method, hasQueue } = plan
  const action = `merge pull request ${number}`
  if (hasQueue) {
    await request(action, client => client.graphql(ENQUEUE, { id: nodeId, commit }))
    return 'asked for'
  }
  const words = method === 'squash' ? await composeSquash(forge, number, commit) : {}
  try {
    await request(action, client =>
      client.rest.pulls.merge({ ...repository, pull_number: number, sha: commit, merge_method: method, ...words }),
    )
    return 'asked for'
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error
    if (await isMerged(forge, number)) return 'asked for'
    if (error.status !== 405 && error.status !== 409) throw error
    if (/base branch was modified|already in progress/i.test(error.message)) return 'moved'
    throw new DispatchError(error.message, {
      exitCode: exitCodes.conflict,
      remedy: 'Nothing was merged. Settle that on GitHub, then run the same command again.',
    })
  }
}

// --- internal ---

const ENQUEUE = `mutation($id: ID!, $commit: GitObjectID!) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $commit }) { mergeQueueEntry { state } }
}`

/**
 * The squashed commit says what the judged one says. GitHub could take the description of the pull request, where words of others in the
 * task would close issues, or have CI leave the commit out.
 */
async function composeSquash({ repository, request }: Forge, number: number, commit: string) {
  const { data } = await request(`read commit ${commit.slice(0, 10)}`, client =>
    client.rest.git.getCommit({ ...repository, commit_sha: commit }),
  )
  const [subject = '', ...rest] = data.message.split('\n')
  return { commit_title: `${subject} (#${number})`, commit_message: rest.join('\n').trim() }
}

async function isMerged({ repository, request }: Forge, number: number): Promise<boolean> {
  const { data } = await request(`read pull request ${number}`, client =>
    client.rest.pulls.get({ ...repository, pull_number: number }),
  )
  return data.merged
}
