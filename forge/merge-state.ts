import { type CheckState, combineStates, listRequiredChecks, readCheckReports } from './check-reports.ts'
import type { Forge } from './forge.ts'

/** What stands between a pull request and its branch. */
export interface MergeState {
  state: 'open' | 'closed' | 'merged'
  isDraft: boolean
  base: string
  headCommit: string
  /** The commit on the branch, once it is merged. */
  mergeCommit: string | undefined
  hasConflicts: boolean
  review: 'approved' | 'not needed' | 'missing' | 'refused'
  /** What was reported for the commit, by name. */
  checks: Map<string, CheckState>
  /** The names of the checks that the branch asks for. */
  required: string[]
  hasQueue: boolean
  isQueued: boolean
}

/** Read what a pull request waits for: the checks of exactly this commit, those that its branch asks for, and the reviews. */
export async function readMergeState(forge: Forge, number: number, commit: string): Promise<MergeState> {
  const pull = await readPull(forge, number)
  const isOver = pull.state !== 'OPEN'
  return {
    state: pull.state === 'MERGED' ? 'merged' : isOver ? 'closed' : 'open',
    isDraft: pull.isDraft,
    base: pull.baseRefName,
    headCommit: pull.headRefOid,
    mergeCommit: pull.mergeCommit?.oid,
    hasConflicts: pull.mergeable === 'CONFLICTING',
    review: reviews[pull.reviewDecision ?? ''] ?? 'not needed',
    checks: isOver ? new Map() : combineStates(await readCheckReports(forge, commit)),
    required: isOver ? [] : await listRequiredChecks(forge, pull.baseRefName),
    hasQueue: pull.hasQueue,
    isQueued: pull.isInMergeQueue,
  }
}

// --- internal ---

const reviews: Record<string, MergeState['review']> = {
  APPROVED: 'approved',
  REVIEW_REQUIRED: 'missing',
  CHANGES_REQUESTED: 'refused',
}

interface QueriedPull {
  state: 'OPEN' | 'CLOSED' | 'MERGED'
  isDraft: boolean
  baseRefName: string
  headRefOid: string
  reviewDecision: string | null
  mergeable: string
  isInMergeQueue: boolean
  mergeCommit: { oid: string } | null
}

const PULL_QUERY = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      state isDraft baseRefName headRefOid reviewDecision mergeable isInMergeQueue mergeCommit { oid } mergeQueue { id }
    }
  }
}`

async function readPull({ repository, request }: Forge, number: number): Promise<QueriedPull & { hasQueue: boolean }> {
  const variables = { owner: repository.owner, name: repository.repo, number }
  const answer = await request(`see what pull request ${number} waits for`, client =>
    client.graphql<{ repository: { pullRequest: QueriedPull & { mergeQueue: { id: string } | null } } }>(
      PULL_QUERY,
      variables,
    ),
  )
  const { mergeQueue, ...pull } = answer.repository.pullRequest
  return { ...pull, hasQueue: mergeQueue !== null }
}
