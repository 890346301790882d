import { type Call, created, fail, findIssue, list, notFound, type Reply, type Route, route } from './router.ts'
import { renderIssue } from './shapes.ts'
import { type ScriptedIssue, touch } from './state.ts'

/** Issues below an issue. An issue has one above it at most. */
export const subIssueRoutes: Route[] = [
  route('GET /repos/:owner/:repo/issues/:number/sub_issues', ['issues', 'read'], call =>
    withParent(call, parent =>
      list(findChildren(call, parent).map(child => renderIssue(call.state, call.repository, child))),
    ),
  ),
  route('POST /repos/:owner/:repo/issues/:number/sub_issues', ['issues', 'write'], call =>
    withParent(call, addChild(call)),
  ),
]

// --- internal ---

function withParent(call: Call, use: (parent: ScriptedIssue) => Reply): Reply {
  const parent = findIssue(call)
  return parent === undefined || !call.repository.knowsSubIssues ? notFound : use(parent)
}

const getId = ({ state, repository }: Call, issue: ScriptedIssue) => renderIssue(state, repository, issue).id

function findChildren(call: Call, { subIssues }: ScriptedIssue): ScriptedIssue[] {
  return subIssues.flatMap(id => call.repository.issues.find(issue => getId(call, issue) === id) ?? [])
}

function addChild(call: Call) {
  return (parent: ScriptedIssue): Reply => {
    const id = Number(call.body['sub_issue_id'])
    const child = call.repository.issues.find(issue => getId(call, issue) === id)
    if (child === undefined) return fail(404, 'The provided sub-issue does not exist')
    if (call.repository.issues.some(({ subIssues }) => subIssues.includes(id)))
      return fail(422, 'Issue may not contain duplicate sub-issues and Sub issue may only have one parent')
    parent.subIssues.push(id)
    touch(parent)
    return created(renderIssue(call.state, call.repository, parent))
  }
}
