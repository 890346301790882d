import { tryGit } from '#host/git'
import { readBranch, readSides } from './branches.ts'
import { mergePull, settleMerges } from './merge.ts'
import {
  type Call,
  created,
  fail,
  findIssue,
  list,
  notFound,
  ok,
  type Reply,
  type Route,
  readList,
  readText,
  refuse,
  route,
} from './router.ts'
import { renderLineComment, renderPull, renderReview } from './shapes.ts'
import {
  createComment,
  createIssue,
  findHeadRepository,
  getRole,
  mayWrite,
  type ScriptedIssue,
  type ScriptedPull,
  type ScriptedReview,
  touch,
} from './state.ts'

/** Pull requests, their reviews, and the comments on their lines. */
export const pullRoutes: Route[] = [
  route('GET /repos/:owner/:repo/pulls', ['pull_requests', 'read'], async call => {
    const { query, repository } = call
    const state = query.get('state') ?? 'open'
    const [head, base] = [query.get('head'), query.get('base')]
    const found = repository.issues.filter(({ pull, ...issue }) => {
      if (pull === undefined || (state !== 'all' && issue.state !== state)) return false
      const isHead = head === null || `${pull.headOwner}:${pull.headBranch}`.toLowerCase() === head.toLowerCase()
      return isHead && (base === null || pull.base === base)
    })
    return list(await Promise.all(found.toReversed().map(issue => render(call, issue))))
  }),
  route('POST /repos/:owner/:repo/pulls', ['pull_requests', 'write'], createPull),
  route('GET /repos/:owner/:repo/pulls/:number', ['pull_requests', 'read'], call =>
    withPull(call, async issue => ok(await render(call, issue))),
  ),
  route('PATCH /repos/:owner/:repo/pulls/:number', ['pull_requests', 'write'], call => withPull(call, editPull(call))),
  route('PUT /repos/:owner/:repo/pulls/:number/merge', ['contents', 'write'], call =>
    withPull(call, async issue =>
      mayWrite(call.repository, call.token.login) ? mergePull(call, issue) : fail(403, 'Resource not accessible'),
    ),
  ),
  route('GET /repos/:owner/:repo/pulls/:number/reviews', ['pull_requests', 'read'], call =>
    withPull(call, async issue =>
      list((issue.pull?.reviews ?? []).map(review => renderReview(call.state, call.repository, issue, review))),
    ),
  ),
  route('POST /repos/:owner/:repo/pulls/:number/reviews', ['pull_requests', 'write'], call =>
    withPull(call, createReview(call)),
  ),
  route('POST /repos/:owner/:repo/pulls/:number/requested_reviewers', ['pull_requests', 'write'], call =>
    withPull(call, requestReviewers(call)),
  ),
  route('GET /repos/:owner/:repo/pulls/:number/comments', ['pull_requests', 'read'], call =>
    withPull(call, async issue =>
      list((issue.pull?.lineComments ?? []).map(each => renderLineComment(call.state, call.repository, issue, each))),
    ),
  ),
  route('POST /repos/:owner/:repo/pulls/:number/comments/:comment/replies', ['pull_requests', 'write'], call =>
    withPull(call, replyToLine(call)),
  ),
  route('PATCH /repos/:owner/:repo/pulls/comments/:comment', ['pull_requests', 'write'], editLineComment),
]

/** A pull request as its answer has it. */
export async function render({ state, repository }: Pick<Call, 'state' | 'repository'>, issue: ScriptedIssue) {
  return renderPull(state, repository, issue, await readSides(state, repository, issue))
}

// --- internal ---

async function withPull(call: Call, use: (issue: ScriptedIssue) => Promise<Reply>): Promise<Reply> {
  const issue = findIssue(call)
  return issue?.pull === undefined ? notFound : use(issue)
}

async function createPull(call: Call): Promise<Reply> {
  const { state, repository, body, token } = call
  if (token.login === 'github-actions[bot]' && !repository.mayWorkflowsOpenPulls)
    return fail(403, 'GitHub Actions is not permitted to create or approve pull requests.')
  const [title, head, base] = ['title', 'head', 'base'].map(name => readText(body, name)) as [string, string, string]
  for (const [name, value] of Object.entries({ title, head, base }))
    if (value === '') return refuse('PullRequest', name)
  const [headOwner, headBranch] = head.includes(':') ? (head.split(':') as [string, string]) : [repository.owner, head]
  const from = findHeadRepository(state, repository, headOwner)
  const [headCommit, baseCommit] = [await readBranch(from, headBranch), await readBranch(repository, base)]
  if (baseCommit === undefined)
    return fail(422, 'Validation Failed', [{ resource: 'PullRequest', field: 'base', code: 'invalid' }])
  if (headCommit === undefined)
    return fail(422, 'Validation Failed', [{ resource: 'PullRequest', field: 'head', code: 'invalid' }])
  const isSame = ({ pull }: ScriptedIssue) =>
    pull?.headOwner === headOwner && pull.headBranch === headBranch && pull.base === base
  if (repository.issues.some(issue => issue.state === 'open' && isSame(issue)))
    return refuse('PullRequest', '', `A pull request already exists for ${headOwner}:${headBranch}.`)
  const args = ['--git-dir', from.folder, 'merge-base', '--is-ancestor', headCommit, baseCommit]
  if ((await tryGit(args)).exitCode === 0)
    return refuse('PullRequest', '', `No commits between ${base} and ${headBranch}`)
  const pull: ScriptedPull = {
    ...{ headOwner, headBranch, headCommit, base },
    ...{ isDraft: body['draft'] === true, reviews: [], lineComments: [], requestedReviewers: [], requestedTeams: [] },
    isQueued: false,
  }
  const issue = createIssue(state, repository, { author: token.login, title, body: readText(body, 'body'), pull })
  const rendered = await render(call, issue)
  call.emit('pull_request', { action: 'opened', number: issue.number, pull_request: rendered })
  return created(rendered)
}

function editPull(call: Call) {
  return async (issue: ScriptedIssue): Promise<Reply> => {
    const { body } = call
    if ('title' in body) issue.title = readText(body, 'title')
    if ('body' in body) issue.body = readText(body, 'body')
    if ('base' in body && issue.pull) issue.pull.base = readText(body, 'base')
    if ((body['state'] === 'open' || body['state'] === 'closed') && issue.pull?.merged === undefined)
      issue.state = body['state']
    touch(issue)
    const rendered = await render(call, issue)
    call.emit('pull_request', { action: 'edited', number: issue.number, pull_request: rendered })
    return ok(rendered)
  }
}

function createReview(call: Call) {
  return async (issue: ScriptedIssue): Promise<Reply> => {
    const { state, repository, body, token } = call
    const states = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const
    const event = readText(body, 'event') as keyof typeof states
    if (!(event in states)) return refuse('PullRequestReview', 'event')
    if (event === 'APPROVE' && token.login === issue.author)
      return fail(422, 'Review Can not approve your own pull request')
    const { head } = await readSides(state, repository, issue)
    const review: ScriptedReview = {
      ...{ id: state.nextId++, author: token.login, state: states[event], body: readText(body, 'body'), commit: head },
      submittedAt: new Date().toISOString(),
    }
    issue.pull?.reviews.push(review)
    touch(issue)
    const rendered = renderReview(state, repository, issue, review)
    call.emit('pull_request_review', { action: 'submitted', review: rendered, pull_request: await render(call, issue) })
    await settleMerges(call)
    return ok(rendered)
  }
}

function requestReviewers(call: Call) {
  return async (issue: ScriptedIssue): Promise<Reply> => {
    const { repository, body } = call
    const names = readList(body, 'reviewers')
    if (names.includes(issue.author)) return fail(422, 'Review cannot be requested from pull request author.')
    const stranger = names.find(name => getRole(repository, name) === 'none' || !(name in repository.roles))
    if (stranger !== undefined)
      return fail(
        422,
        'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator',
      )
    issue.pull?.requestedReviewers.push(...names)
    issue.pull?.requestedTeams.push(...readList(body, 'team_reviewers'))
    touch(issue)
    return created(await render(call, issue))
  }
}

function replyToLine(call: Call) {
  return async (issue: ScriptedIssue): Promise<Reply> => {
    const { state, repository, body, token, params } = call
    const first = issue.pull?.lineComments.find(({ id }) => id === Number(params['comment']))
    if (first?.line === undefined) return notFound
    if (first.line.inReplyTo !== undefined) return refuse('PullRequestReviewComment', 'in_reply_to')
    const reply = createComment(state, token.login, readText(body, 'body'))
    reply.line = { ...first.line, inReplyTo: first.id }
    issue.pull?.lineComments.push(reply)
    touch(issue)
    return created(renderLineComment(state, repository, issue, reply))
  }
}

function editLineComment({ state, repository, body, params }: Call): Reply {
  for (const issue of repository.issues) {
    const comment = issue.pull?.lineComments.find(({ id }) => id === Number(params['comment']))
    if (comment === undefined) continue
    comment.body = readText(body, 'body')
    comment.updatedAt = new Date().toISOString()
    return ok(renderLineComment(state, repository, issue, comment))
  }
  return notFound
}
