import { verdictName } from './actions/commit-verdict.ts'
import {
  type CheckState,
  combineStates,
  getReportedForMs,
  listRequiredChecks,
  readCheckReports,
} from './check-reports.ts'
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
  /** Its branch lacks what came onto the other one since, which asks for branches that are up to date. */
  isBehind: boolean
  review: 'approved' | 'not needed' | 'missing' | 'refused'
  /** What was reported for the commit, by name. */
  checks: Map<string, CheckState>
  /** How long ago the first of them was reported, but the verdict of dispatch; null without any. */
  reportedForMs: number | null
  /** The names of the checks that the branch asks for. */
  required: string[]
  hasQueue: boolean
  isQueued: boolean
}

/** Read what a pull request waits for: the checks of exactly this commit, those that its branch asks for, and the reviews. */
export async function readMergeState(forge: Forge, number: number, commit: string): Promise<MergeState> {
  const pull = await readPull(forge, number)
  const isOver = pull.state !== 'OPEN'
  const reports = isOver ? [] : await readCheckReports(forge, commit)
  // Where no review is required, GitHub has no decision, and would merge what a reviewer has refused.
  const isRefused = pull.latestOpinionatedReviews?.nodes.some(({ state }) => state === 'CHANGES_REQUESTED')
  return {
    state: pull.state === 'MERGED' ? 'merged' : isOver ? 'closed' : 'open',
    isDraft: pull.isDraft,
    base: pull.baseRefName,
    headCommit: pull.headRefOid,
    mergeCommit: pull.mergeCommit?.oid,
    hasConflicts: pull.mergeable === 'CONFLICTING',
    isBehind: pull.mergeStateStatus === 'BEHIND',
    review: isRefused ? 'refused' : (reviews[pull.reviewDecision ?? ''] ?? 'not needed'),
    checks: combineStates(reports),
    reportedForMs: getReportedForMs(
      reports.filter(({ name }) => name !== verdictName),
      Date.now(),
    ),
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
  /** The last word of each reviewer who may write, but comments. */
  latestOpinionatedReviews: { nodes: { state: string }[] } | null
  mergeable: string
  mergeStateStatus: string
  isInMergeQueue: boolean
  mergeCommit: { oid: string } | null
}

const PULL_QUERY = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      state isDraft baseRefName headRefOid reviewDecision mergeable mergeStateStatus isInMergeQueue mergeCommit { oid } mergeQueue { id }
      latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } }
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
