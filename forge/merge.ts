import { DispatchError, exitCodes } from '#host/error.ts'
import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'

/** Merge exactly this commit, or put it into the merge queue. Exit 5 where GitHub refuses it. */
export async function mergePullRequest(
  { repository, request }: Forge,
  { number, nodeId }: { number: number; nodeId: string },
  { commit, method, hasQueue }: { commit: string; method: 'merge' | 'squash' | 'rebase'; hasQueue: boolean },
): Promise<void> {
  const action = `merge pull request ${number}`
  if (hasQueue) {
    await request(action, client => client.graphql(ENQUEUE, { id: nodeId, commit }))
    return
  }
  try {
    await request(action, client =>
      client.rest.pulls.merge({ ...repository, pull_number: number, sha: commit, merge_method: method }),
    )
  } catch (error) {
    if (!(error instanceof ForgeError) || (error.status !== 405 && error.status !== 409)) throw error
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
