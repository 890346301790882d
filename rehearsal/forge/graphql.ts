import { readSides } from './branches.ts'
import { findObstacle, requestMerge, settleMerges } from './merge.ts'
import { type Call, fail, ok, type Reply } from './router.ts'
import { getPullNodeId } from './shapes.ts'
import {
  findRepository,
  type MergeMethod,
  mayWrite,
  type ScriptedIssue,
  type ScriptedRepository,
  touch,
} from './state.ts'

/** The calls of GraphQL that REST lacks: drafts, auto-merge, the merge queue, and what a pull request waits for. */
export async function answerGraphql(call: Omit<Call, 'repository' | 'params'>): Promise<Reply> {
  const { query = '', variables = {} } = call.body as { query?: string; variables?: Record<string, unknown> }
  const name = operations.find(each => new RegExp(`\\b${each}\\b`).test(query))
  if (name === undefined) return fail(400, 'Problems parsing JSON')
  if (name === 'viewer') return ok({ data: { viewer: { login: call.token.login } } })
  if (name === 'pullRequest') return readPull(call, variables)
  if (name === 'issue') return readIssue(call, variables)
  const found = findByNodeId(call, String(variables['id']))
  if (found === undefined)
    return refuse('NOT_FOUND', `Could not resolve to a node with the global id of '${variables['id']}'.`)
  const { repository, issue } = found
  if (!mayWrite(repository, call.token.login))
    return refuse('FORBIDDEN', `${call.token.login} does not have permission to do that.`)
  const problem = await mutate(name, { ...call, repository, params: {} }, issue, variables)
  if (problem !== undefined) return refuse('UNPROCESSABLE', problem)
  await settleMerges(call)
  return ok({ data: { [name]: { pullRequest: await describe(call, repository, issue) } } })
}

// --- internal ---

const operations = [
  'markPullRequestReadyForReview',
  'convertPullRequestToDraft',
  'enablePullRequestAutoMerge',
  'disablePullRequestAutoMerge',
  'enqueuePullRequest',
  'pullRequest',
  'issue',
  'viewer',
]

type Located = { repository: ScriptedRepository; issue: ScriptedIssue }

function findByNodeId({ state }: Pick<Call, 'state'>, id: string): Located | undefined {
  for (const repository of state.repositories) {
    const issue = repository.issues.find(each => each.pull && getPullNodeId(repository, each.number) === id)
    if (issue) return { repository, issue }
  }
  return undefined
}

/** Returns why it may not be. */
async function mutate(
  name: string,
  { state, repository, token }: Call,
  issue: ScriptedIssue,
  variables: Record<string, unknown>,
): Promise<string | undefined> {
  const { pull } = issue
  if (pull === undefined) return 'It is no pull request'
  const { head } = await readSides(state, repository, issue)
  const commit = typeof variables['commit'] === 'string' ? variables['commit'] : undefined
  if (commit !== undefined && commit !== head) return 'Head branch was modified'
  touch(issue)
  if (name === 'markPullRequestReadyForReview') pull.isDraft = false
  else if (name === 'convertPullRequestToDraft') pull.isDraft = true
  else if (name === 'disablePullRequestAutoMerge') delete pull.autoMerge
  else {
    const kind = name === 'enqueuePullRequest' ? 'queue' : 'auto-merge'
    const method = String(variables['method'] ?? 'MERGE').toLowerCase() as MergeMethod
    return requestMerge(repository, issue, { kind, method, by: token.login, commit })
  }
  return undefined
}

async function readPull(call: Omit<Call, 'repository' | 'params'>, variables: Record<string, unknown>): Promise<Reply> {
  const repository = findRepository(call.state, String(variables['owner']), String(variables['name']))
  const issue = repository?.issues.find(({ number, pull }) => pull && number === variables['number'])
  if (repository === undefined || issue === undefined) return refuse('NOT_FOUND', 'Could not resolve to a PullRequest.')
  return ok({
    data: {
      repository: {
        pullRequest: await describe(call, repository, issue),
        autoMergeAllowed: repository.allowsAutoMerge,
      },
    },
  })
}

function readIssue({ state }: Pick<Call, 'state'>, variables: Record<string, unknown>): Reply {
  const repository = findRepository(state, String(variables['owner']), String(variables['name']))
  const issue = repository?.issues.find(({ number, pull }) => !pull && number === variables['number'])
  if (issue === undefined) return refuse('NOT_FOUND', 'Could not resolve to an Issue.')
  return ok({ data: { repository: { issue: { lastEditedAt: issue.editedAt ?? null } } } })
}

async function describe({ state }: Pick<Call, 'state'>, repository: ScriptedRepository, issue: ScriptedIssue) {
  const { pull } = issue
  if (pull === undefined) return null
  const { head, isMergeable, isBehind } = await readSides(state, repository, issue)
  const hasObstacle = findObstacle(repository, issue, head) !== undefined
  const looks = pull.isQueued ? (pull.queuedLooks ?? 0) : 0
  pull.queuedLooks = looks + 1
  const required = repository.rules[pull.base]?.requiredApprovals ?? 0
  const last = new Map(pull.reviews.filter(each => each.state !== 'COMMENTED').map(each => [each.author, each.state]))
  const approvals = [...last.values()].filter(each => each === 'APPROVED').length
  const isRefused = [...last.values()].includes('CHANGES_REQUESTED')
  const decision = isRefused ? 'CHANGES_REQUESTED' : approvals >= required ? 'APPROVED' : 'REVIEW_REQUIRED'
  return {
    id: getPullNodeId(repository, issue.number),
    number: issue.number,
    state: pull.merged ? 'MERGED' : issue.state.toUpperCase(),
    isDraft: pull.isDraft,
    headRefOid: head,
    baseRefName: pull.base,
    mergeable: isMergeable ? 'MERGEABLE' : 'CONFLICTING',
    mergeQueue: repository.rules[pull.base]?.hasMergeQueue ? { id: 'MQ_1' } : null,
    reviewDecision: required === 0 ? null : decision,
    latestOpinionatedReviews: {
      nodes: [...last].flatMap(([author, state]) => (mayWrite(repository, author) ? [{ state }] : [])),
    },
    mergeStateStatus: hasObstacle ? 'BLOCKED' : isBehind ? 'BEHIND' : 'CLEAN',
    isInMergeQueue: pull.isQueued && looks > 1,
    autoMergeRequest: pull.autoMerge ? { enabledAt: issue.updatedAt } : null,
    mergeCommit: pull.merged ? { oid: pull.merged.commit } : null,
    reviewThreads: onePage(
      pull.lineComments
        .filter(({ line }) => line?.inReplyTo === undefined)
        .map(first => {
          const thread = pull.lineComments.filter(each => each === first || each.line?.inReplyTo === first.id)
          return { isResolved: first.isResolved ?? false, comments: { nodes: thread.map(describeHidden) } }
        }),
    ),
    reviews: onePage(pull.reviews.map(describeHidden)),
    comments: onePage(issue.comments.map(describeHidden)),
  }
}

const onePage = (nodes: unknown[]) => ({ nodes, pageInfo: { hasNextPage: false, endCursor: null } })

function describeHidden({ id, isMinimized = false }: { id: number; isMinimized?: boolean }) {
  return { fullDatabaseId: String(id), isMinimized }
}

function refuse(type: string, message: string): Reply {
  return ok({ data: null, errors: [{ type, message, path: [], locations: [] }] })
}
