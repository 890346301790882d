import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'

/** What a check or a status says of a commit. */
export type CheckState = 'green' | 'red' | 'pending'

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
    checks: isOver ? new Map() : await readChecks(forge, commit),
    required: isOver ? [] : await listRequiredChecks(forge, pull.baseRefName),
    hasQueue: pull.hasQueue,
    isQueued: pull.isInMergeQueue,
  }
}

// --- internal ---

const worstFirst = ['red', 'pending', 'green'] as const

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

/**
 * Check runs and statuses, by name. Where several have one name, such as the runs of a push and of a pull request, the worst counts: a
 * red one is not hidden by another.
 */
async function readChecks({ repository, request }: Forge, commit: string): Promise<Map<string, CheckState>> {
  const place = { ...repository, ref: commit, per_page: 100 }
  const action = `read the checks of ${commit.slice(0, 10)}`
  const runs = await request(action, client => client.paginate(client.rest.checks.listForRef, place))
  const statuses = await request(action, client => client.paginate(client.rest.repos.listCommitStatusesForRef, place))
  const checks = new Map<string, CheckState>()
  // A status replaces an earlier one of its name, and the newest comes first.
  for (const { context, state } of statuses.toReversed())
    checks.set(context, state === 'success' ? 'green' : state === 'pending' ? 'pending' : 'red')
  // Of the runs of one app, GitHub lists only the latest of each name.
  for (const { name, status, conclusion } of runs) {
    const states = [checks.get(name), readRun(status, conclusion)]
    checks.set(name, worstFirst.find(state => states.includes(state)) ?? 'pending')
  }
  return checks
}

function readRun(status: string, conclusion: string | null): CheckState {
  if (status !== 'completed') return 'pending'
  return conclusion === 'success' || conclusion === 'neutral' || conclusion === 'skipped' ? 'green' : 'red'
}

/** By the rules of the repository, and by the older protection of the branch. */
async function listRequiredChecks({ repository, request }: Forge, branch: string): Promise<string[]> {
  const action = `read what ${branch} asks for`
  const rules = await request(action, client =>
    client.paginate(client.rest.repos.getBranchRules, { ...repository, branch, per_page: 100 }),
  ).catch(ignoreMissing)
  const byRules = (rules ?? []).flatMap(rule =>
    rule.type === 'required_status_checks' ? (rule.parameters?.required_status_checks ?? []) : [],
  )
  const { data } = await request(action, client => client.rest.repos.getBranch({ ...repository, branch }))
  const protection = data.protection?.required_status_checks
  const byProtection = protection?.enforcement_level === 'off' ? [] : (protection?.contexts ?? [])
  return [...new Set([...byRules.map(({ context }) => context), ...byProtection])]
}

/** GitHub Enterprise has known rules only for some time. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof ForgeError && error.status === 404) return undefined
  throw error
}
