import { DispatchError, exitCodes } from '#host/error.ts'
import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'
import { closesIssue, hasSection, replaceSection } from './pull-request-body.ts'

/** A pull request, as far as dispatch looks at it. */
export interface PullRequest {
  number: number
  url: string
  nodeId: string
  state: 'open' | 'closed' | 'merged'
  isDraft: boolean
  title: string
  body: string
  /** The branch into which it is to be merged. */
  base: string
  /** The branch that it brings, and the newest commit there. */
  head: string
  headCommit: string
}

/** What is to be on GitHub. */
export interface PullRequestRequest {
  sessionId: string
  /** The owner of the repository that has the branch, and its name: of a fork, another one than that of the pull request. */
  headOwner: string
  branch: string
  base: string
  /** Where it is there already with another base: change that. */
  movesBase: boolean
  title: string
  /** The part of the body that dispatch writes, as `renderSection` makes it. */
  section: string
  /** Undefined: one that is there stays as it is, and a new one is no draft. */
  isDraft: boolean | undefined
  labels: string[]
  /** Names of people, and of teams as `org/team`. */
  reviewers: string[]
}

/** What came of it. `problems`: what GitHub did not take, such as a reviewer who may not see the repository. */
export interface PublishedPullRequest {
  pullRequest: PullRequest
  isNew: boolean
  problems: string[]
}

/**
 * Open the pull request of a session, or bring the one that is there up to date. There is never a second one: it is found by its branch
 * and by a mark in its body. Title and words of people stay as they are. Exit 5 for one that a person has closed, or that was merged.
 */
export async function publishPullRequest(forge: Forge, request: PullRequestRequest): Promise<PublishedPullRequest> {
  const found = await findPullRequest(forge, request)
  const created = found ?? (await createPullRequest(forge, request))
  requireOpen(created, request.sessionId)
  const pullRequest = found === undefined ? created : await updatePullRequest(forge, found, request)
  const problems = [
    ...(await addLabels(forge, pullRequest, request)),
    ...(await askReviewers(forge, pullRequest, request)),
  ]
  return { pullRequest, isNew: found === undefined, problems }
}

/** The pull request of a session or of a branch: an open one, else the newest that has the mark of the session. */
export async function findPullRequest(
  { repository, request }: Forge,
  { headOwner, branch, sessionId }: Pick<PullRequestRequest, 'headOwner' | 'branch' | 'sessionId'>,
): Promise<PullRequest | undefined> {
  const listed = await request(`list the pull requests of ${branch}`, client =>
    client.paginate(client.rest.pulls.list, {
      ...repository,
      head: `${headOwner}:${branch}`,
      state: 'all',
      per_page: 100,
    }),
  )
  const all = listed.map(toPullRequest)
  return all.find(({ state }) => state === 'open') ?? all.find(({ body }) => hasSection(body, sessionId))
}

/** The open pull request of a session that closes an issue. One from a fork does not count: anyone may open that. */
export async function findClosingPullRequest(
  { repository, request }: Forge,
  issue: number,
): Promise<PullRequest | undefined> {
  const listed = await request('list the open pull requests', client =>
    client.paginate(client.rest.pulls.list, { ...repository, state: 'open', per_page: 100 }),
  )
  const own = listed.filter(({ head, base }) => head.repo?.full_name === base.repo.full_name)
  return own.map(toPullRequest).find(({ body }) => closesIssue(body, issue))
}

/** A pull request by its number. Exit 4 without one. */
export async function readPullRequest({ repository, request }: Forge, number: number): Promise<PullRequest> {
  const { data } = await request(`read pull request ${number}`, client =>
    client.rest.pulls.get({ ...repository, pull_number: number }),
  )
  return toPullRequest(data)
}

/** Exit 5 for a pull request that a person has closed, or that was merged. */
export function requireOpen({ number, url, state }: PullRequest, sessionId: string): void {
  if (state === 'open') return
  const isMerged = state === 'merged'
  throw new DispatchError(
    `pull request ${number} of session ${sessionId} was ${isMerged ? 'merged' : 'closed by a person'} (${url})`,
    {
      exitCode: exitCodes.conflict,
      remedy: isMerged
        ? 'Its work is on the branch. To have more done, start a new session.'
        : 'Reopen it on GitHub, then run the same command again.',
    },
  )
}

// --- internal ---

interface ListedPullRequest {
  number: number
  html_url: string
  node_id: string
  state: string
  draft?: boolean
  title: string
  body: string | null
  merged_at: string | null
  base: { ref: string }
  head: { ref: string; sha: string }
}

function toPullRequest(listed: ListedPullRequest): PullRequest {
  return {
    number: listed.number,
    url: listed.html_url,
    nodeId: listed.node_id,
    state: listed.merged_at !== null ? 'merged' : listed.state === 'open' ? 'open' : 'closed',
    isDraft: listed.draft ?? false,
    title: listed.title,
    body: listed.body ?? '',
    base: listed.base.ref,
    head: listed.head.ref,
    headCommit: listed.head.sha,
  }
}

async function createPullRequest(forge: Forge, wanted: PullRequestRequest): Promise<PullRequest> {
  const { repository, request } = forge
  const { headOwner, branch, base, title, section, isDraft } = wanted
  const isFork = headOwner.toLowerCase() !== repository.owner.toLowerCase()
  const head = isFork ? `${headOwner}:${branch}` : branch
  try {
    const { data } = await request(`open a pull request in ${repository.owner}/${repository.repo}`, client =>
      client.rest.pulls.create({ ...repository, head, base, title, body: section, draft: isDraft ?? false }),
    )
    return toPullRequest(data)
  } catch (error) {
    // Another process of the same session was faster, or the answer to an earlier try was lost.
    const other = error instanceof ForgeError && error.status === 422 && (await findPullRequest(forge, wanted))
    if (other && other.state === 'open') return other
    throw error
  }
}

/** Only what is not as it should be is written, so that a second run sends no notification. */
async function updatePullRequest(forge: Forge, found: PullRequest, wanted: PullRequestRequest): Promise<PullRequest> {
  const { repository, request } = forge
  const body = replaceSection(found.body, wanted.section)
  const changes = {
    ...(body === found.body ? {} : { body }),
    ...(!wanted.movesBase || wanted.base === found.base ? {} : { base: wanted.base }),
  }
  const action = `update pull request ${found.number}`
  if (Object.keys(changes).length > 0)
    await request(action, client => client.rest.pulls.update({ ...repository, pull_number: found.number, ...changes }))
  const { isDraft = found.isDraft } = wanted
  if (isDraft !== found.isDraft)
    await request(action, client => client.graphql(isDraft ? TO_DRAFT : TO_READY, { id: found.nodeId }))
  return { ...found, body, isDraft, ...(wanted.movesBase && { base: wanted.base }) }
}

const TO_READY = `mutation($id: ID!) {
  markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } }
}`
const TO_DRAFT = `mutation($id: ID!) {
  convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { isDraft } }
}`

async function addLabels({ repository, request }: Forge, { number }: PullRequest, { labels }: PullRequestRequest) {
  if (labels.length === 0) return []
  return collectProblem('labels', () =>
    request(`label pull request ${number}`, async client => {
      const { data } = await client.rest.issues.listLabelsOnIssue({
        ...repository,
        issue_number: number,
        per_page: 100,
      })
      const missing = labels.filter(label => data.every(({ name }) => name.toLowerCase() !== label.toLowerCase()))
      if (missing.length > 0)
        await client.rest.issues.addLabels({ ...repository, issue_number: number, labels: missing })
    }),
  )
}

/** Who has reviewed already, or was asked, is not asked again, and neither is the author: GitHub takes no one where one cannot be asked. */
async function askReviewers(forge: Forge, { number }: PullRequest, { reviewers }: PullRequestRequest) {
  if (reviewers.length === 0) return []
  const { repository, request } = forge
  const pull = { ...repository, pull_number: number }
  const ask = (names: string[]) =>
    request(`ask for reviews of pull request ${number}`, client =>
      client.rest.pulls.requestReviewers({
        ...pull,
        reviewers: names.filter(name => !name.includes('/')),
        team_reviewers: names.flatMap(name => name.split('/')[1] ?? []),
      }),
    )
  return collectProblem('reviewers', async () => {
    const missing = await listUnasked(forge, number, reviewers)
    if (missing.length === 0) return []
    try {
      await ask(missing)
      return []
    } catch (error) {
      if (missing.length === 1 || !(error instanceof ForgeError) || error.status !== 422) throw error
    }
    const problems: string[] = []
    for (const name of missing) problems.push(...(await collectProblem(`reviewer ${name}`, () => ask([name]))))
    return problems
  })
}

async function listUnasked({ repository, request }: Forge, number: number, reviewers: string[]): Promise<string[]> {
  const pull = { ...repository, pull_number: number }
  const action = `ask for reviews of pull request ${number}`
  const { data } = await request(action, client => client.rest.pulls.get(pull))
  const reviews = await request(action, client =>
    client.paginate(client.rest.pulls.listReviews, { ...pull, per_page: 100 }),
  )
  const known = [
    data.user.login,
    ...(data.requested_reviewers ?? []).map(({ login }) => login),
    ...(data.requested_teams ?? []).map(({ slug }) => slug),
    ...reviews.flatMap(({ user }) => user?.login ?? []),
  ].map(name => name.toLowerCase())
  return reviewers.filter(name => !known.includes((name.split('/')[1] ?? name).toLowerCase()))
}

/** The pull request is there: what GitHub does not take beside it is told, and is no failure. */
async function collectProblem(what: string, work: () => Promise<unknown>): Promise<string[]> {
  try {
    const more = await work()
    return Array.isArray(more) ? more : []
  } catch (error) {
    if (!(error instanceof ForgeError) || error.status === undefined) throw error
    return [`${what}: ${error.message}`]
  }
}
