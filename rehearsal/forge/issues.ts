import {
  type Call,
  created,
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
import { renderComment, renderIssue, renderLabel, renderUser } from './shapes.ts'
import { createComment, createIssue, mayWrite, type ScriptedIssue, setLabel, touch } from './state.ts'

/** Issues with their comments, labels, reactions and events. A pull request has them too. */
export const issueRoutes: Route[] = [
  route('GET /repos/:owner/:repo/issues', ['issues', 'read'], listIssues),
  route('POST /repos/:owner/:repo/issues', ['issues', 'write'], createOne),
  route('GET /repos/:owner/:repo/issues/comments', ['issues', 'read'], ({ state, repository }) =>
    list(repository.issues.flatMap(issue => issue.comments.map(each => renderComment(state, repository, issue, each)))),
  ),
  route('GET /repos/:owner/:repo/issues/comments/:id', ['issues', 'read'], call =>
    withComment(call, (issue, comment) => ok(renderComment(call.state, call.repository, issue, comment))),
  ),
  route('PATCH /repos/:owner/:repo/issues/comments/:id', ['issues', 'write'], call =>
    withComment(call, editComment(call)),
  ),
  route('DELETE /repos/:owner/:repo/issues/comments/:id', ['issues', 'write'], call =>
    withComment(call, (issue, comment) => {
      issue.comments = issue.comments.filter(({ id }) => id !== comment.id)
      touch(issue)
      return { status: 204 }
    }),
  ),
  route('POST /repos/:owner/:repo/issues/comments/:id/reactions', ['issues', 'write'], call =>
    withComment(call, (_, comment) => react(call, comment)),
  ),
  route('GET /repos/:owner/:repo/issues/:number', ['issues', 'read'], call =>
    withIssue(call, issue => ok(renderIssue(call.state, call.repository, issue))),
  ),
  route('PATCH /repos/:owner/:repo/issues/:number', ['issues', 'write'], call => withIssue(call, editIssue(call))),
  route('GET /repos/:owner/:repo/issues/:number/comments', ['issues', 'read'], call =>
    withIssue(call, issue => list(issue.comments.map(each => renderComment(call.state, call.repository, issue, each)))),
  ),
  route('POST /repos/:owner/:repo/issues/:number/comments', ['issues', 'write'], call =>
    withIssue(call, addComment(call)),
  ),
  route('GET /repos/:owner/:repo/issues/:number/labels', ['issues', 'read'], call =>
    withIssue(call, issue => list(issue.labels.map(label => renderLabel(call.state, label)))),
  ),
  route('POST /repos/:owner/:repo/issues/:number/labels', ['issues', 'write'], call =>
    withIssue(call, addLabels(call)),
  ),
  route('DELETE /repos/:owner/:repo/issues/:number/labels/:name', ['issues', 'write'], call =>
    withIssue(call, removeLabel(call)),
  ),
  route('POST /repos/:owner/:repo/issues/:number/reactions', ['issues', 'write'], call =>
    withIssue(call, issue => react(call, issue)),
  ),
  route('GET /repos/:owner/:repo/issues/:number/events', ['issues', 'read'], call => withIssue(call, listEvents(call))),
  route('GET /repos/:owner/:repo/issues/:number/timeline', ['issues', 'read'], call =>
    withIssue(call, listEvents(call)),
  ),
]

// --- internal ---

type Comment = ScriptedIssue['comments'][number]

function withIssue(call: Call, use: (issue: ScriptedIssue) => Reply): Reply {
  const issue = findIssue(call)
  return issue === undefined ? notFound : use(issue)
}

function withComment(call: Call, use: (issue: ScriptedIssue, comment: Comment) => Reply): Reply {
  for (const issue of call.repository.issues) {
    const comment = issue.comments.find(({ id }) => id === Number(call.params['id']))
    if (comment !== undefined) return use(issue, comment)
  }
  return notFound
}

function listIssues({ state, repository, query }: Call): Reply {
  const wanted = query.get('state') ?? 'open'
  const labels = (query.get('labels') ?? '').split(',').filter(Boolean)
  const since = query.get('since')
  const found = repository.issues.filter(
    issue =>
      (wanted === 'all' || issue.state === wanted) &&
      labels.every(label => issue.labels.includes(label)) &&
      (since === null || issue.updatedAt >= since),
  )
  if (query.get('sort') === 'updated') found.sort((a, b) => a.updatedAt.localeCompare(b.updatedAt))
  const isAscending = query.get('direction') === 'asc'
  return list((isAscending ? found : found.toReversed()).map(issue => renderIssue(state, repository, issue)))
}

function createOne({ state, repository, body, token, emit }: Call): Reply {
  const title = readText(body, 'title')
  if (title === '') return refuse('Issue', 'title')
  const labels = mayWrite(repository, token.login) ? readList(body, 'labels') : []
  const issue = createIssue(state, repository, { author: token.login, title, body: readText(body, 'body'), labels })
  const rendered = renderIssue(state, repository, issue)
  emit('issues', { action: 'opened', issue: rendered })
  return created(rendered)
}

function editIssue({ state, repository, body, token, emit }: Call) {
  return (issue: ScriptedIssue): Reply => {
    touch(issue)
    if ('title' in body && issue.title !== body['title']) {
      issue.title = readText(body, 'title')
      issue.events.push({ id: state.nextId++, event: 'renamed', actor: token.login, createdAt: issue.updatedAt })
    }
    if ('body' in body) {
      issue.body = readText(body, 'body')
      issue.editedAt = issue.updatedAt
    }
    if (body['state'] === 'open' || body['state'] === 'closed') issue.state = body['state']
    const rendered = renderIssue(state, repository, issue)
    emit('issues', { action: 'edited', issue: rendered })
    return ok(rendered)
  }
}

function addComment({ state, repository, body, token, emit }: Call) {
  return (issue: ScriptedIssue): Reply => {
    if (readText(body, 'body') === '') return refuse('IssueComment', 'body')
    const comment = createComment(state, token.login, readText(body, 'body'))
    issue.comments.push(comment)
    touch(issue)
    const rendered = renderComment(state, repository, issue, comment)
    emit('issue_comment', { action: 'created', issue: renderIssue(state, repository, issue), comment: rendered })
    return created(rendered)
  }
}

function editComment({ state, repository, body, emit }: Call) {
  return (issue: ScriptedIssue, comment: Comment): Reply => {
    comment.body = readText(body, 'body')
    comment.updatedAt = new Date().toISOString()
    const rendered = renderComment(state, repository, issue, comment)
    emit('issue_comment', { action: 'edited', issue: renderIssue(state, repository, issue), comment: rendered })
    return ok(rendered)
  }
}

function addLabels({ state, repository, body, token, emit }: Call) {
  return (issue: ScriptedIssue): Reply => {
    if (!mayWrite(repository, token.login)) return notFound
    for (const label of readList(body, 'labels')) {
      setLabel(state, issue, label, token.login)
      const payload = { action: 'labeled', label: renderLabel(state, label), sender: renderUser(state, token.login) }
      emit('issues', { ...payload, issue: renderIssue(state, repository, issue) })
    }
    return ok(issue.labels.map(label => renderLabel(state, label)))
  }
}

function removeLabel({ state, params, token }: Call) {
  return (issue: ScriptedIssue): Reply => {
    const name = params['name'] ?? ''
    if (!issue.labels.includes(name)) return notFound
    issue.labels = issue.labels.filter(label => label !== name)
    touch(issue)
    const event = {
      id: state.nextId++,
      event: 'unlabeled',
      actor: token.login,
      createdAt: issue.updatedAt,
      label: name,
    }
    issue.events.push(event)
    return ok(issue.labels.map(label => renderLabel(state, label)))
  }
}

function listEvents({ state, repository }: Call) {
  return (issue: ScriptedIssue): Reply =>
    list(
      issue.events.map(({ id, event, actor, createdAt, label, milestone }) => ({
        id,
        node_id: `EV_${id}`,
        url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/issues/events/${id}`,
        event,
        actor: renderUser(state, actor),
        commit_id: null,
        commit_url: null,
        created_at: createdAt,
        ...(label === undefined ? {} : { label: { name: label, color: 'ededed' } }),
        ...(milestone === undefined ? {} : { milestone: { title: milestone } }),
      })),
    )
}

function react({ state, body, token }: Call, target: Pick<ScriptedIssue, 'reactions'>): Reply {
  const content = readText(body, 'content')
  const words = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']
  if (!words.includes(content)) return refuse('Reaction', 'content')
  const isThere = target.reactions.some(each => each.author === token.login && each.content === content)
  if (!isThere) target.reactions.push({ author: token.login, content })
  const id = state.nextId++
  const reaction = {
    id,
    node_id: `RE_${id}`,
    user: renderUser(state, token.login),
    content,
    created_at: new Date().toISOString(),
  }
  return { status: isThere ? 200 : 201, body: reaction }
}
