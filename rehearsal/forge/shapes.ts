import { sha256 } from '#host/hash.ts'
import type {
  ForgeState,
  ScriptedCheckRun,
  ScriptedComment,
  ScriptedIssue,
  ScriptedPull,
  ScriptedRepository,
  ScriptedReview,
  ScriptedStatus,
  ScriptedWorkflowRun,
} from './state.ts'
import { getRole } from './state.ts'

/** The shapes of GitHub's answers. A test compares them with the types that octokit publishes. */

/** The same number for the same text, such as a name. */
const toId = (text: string) => Number.parseInt(sha256(text).slice(0, 7), 16)

export function renderUser({ url }: Pick<ForgeState, 'url'>, login: string) {
  const isBot = login.endsWith('[bot]')
  return {
    login,
    id: toId(login),
    node_id: `U_${login}`,
    avatar_url: `${url}/avatars/${login}`,
    gravatar_id: '',
    url: `${url}/api/v3/users/${login}`,
    html_url: `${url}/${login}`,
    type: isBot ? 'Bot' : 'User',
    site_admin: false,
  }
}

export function renderRepository(state: ForgeState, repository: ScriptedRepository, login: string) {
  const { owner, name, isPrivate, defaultBranch, forkOf, allowsAutoMerge, methods } = repository
  const role = getRole(repository, login)
  const isAtLeast = (...roles: string[]) => roles.includes(role)
  return {
    id: toId(`${owner}/${name}`),
    node_id: `R_${owner}_${name}`,
    name,
    full_name: `${owner}/${name}`,
    owner: {
      ...renderUser(state, owner),
      ...(repository.organizationSecrets !== undefined && { type: 'Organization' }),
    },
    private: isPrivate,
    html_url: `${state.url}/${owner}/${name}`,
    clone_url: `${state.url}/${owner}/${name}.git`,
    url: `${state.url}/api/v3/repos/${owner}/${name}`,
    description: null,
    fork: forkOf !== undefined,
    default_branch: defaultBranch,
    archived: false,
    disabled: false,
    has_issues: true,
    visibility: isPrivate ? 'private' : 'public',
    permissions: {
      admin: isAtLeast('admin'),
      maintain: isAtLeast('admin'),
      push: isAtLeast('admin', 'write'),
      triage: isAtLeast('admin', 'write', 'triage'),
      pull: role !== 'none',
    },
    allow_auto_merge: allowsAutoMerge,
    allow_merge_commit: methods.includes('merge'),
    allow_squash_merge: methods.includes('squash'),
    allow_rebase_merge: methods.includes('rebase'),
  }
}

/** How close a person is to a repository. */
export function getAssociation(repository: ScriptedRepository, login: string) {
  if (login === repository.owner) return 'OWNER' as const
  const role = repository.roles[login]
  // An App may write, and has no role of its own.
  const isHidden = repository.hiddenMembers.includes(login)
  if (role === undefined || role === 'none' || isHidden || login.endsWith('[bot]')) return 'NONE' as const
  return role === 'read' ? ('CONTRIBUTOR' as const) : ('COLLABORATOR' as const)
}

export function renderLabel({ url }: ForgeState, name: string) {
  return {
    id: toId(name),
    node_id: `LA_${name}`,
    url: `${url}/labels/${name}`,
    name,
    color: 'ededed',
    default: false,
    description: null,
  }
}

function renderMilestone({ url }: ForgeState, title: string) {
  return {
    id: toId(title),
    node_id: `MI_${title}`,
    number: (toId(title) % 100) + 1,
    title,
    description: null,
    state: 'open' as const,
    url: `${url}/milestones/${title}`,
  }
}

export function renderIssue(state: ForgeState, repository: ScriptedRepository, issue: ScriptedIssue) {
  const { owner, name } = repository
  const place = `${owner}/${name}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`
  return {
    id: toId(`${owner}/${name}#${issue.number}`),
    node_id: `I_${owner}_${name}_${issue.number}`,
    number: issue.number,
    state: issue.state,
    title: issue.title,
    body: issue.body,
    user: renderUser(state, issue.author),
    labels: issue.labels.map(label => renderLabel(state, label)),
    assignees: [],
    milestone: issue.milestone === undefined ? null : renderMilestone(state, issue.milestone),
    locked: false,
    comments: issue.comments.length,
    url: `${state.url}/api/v3/repos/${owner}/${name}/issues/${issue.number}`,
    html_url: `${state.url}/${place}`,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.state === 'closed' ? issue.updatedAt : null,
    author_association: getAssociation(repository, issue.author),
    ...(issue.pull && {
      pull_request: { url: null, html_url: `${state.url}/${place}`, diff_url: null, patch_url: null },
    }),
  }
}

function describeMergeability(
  { isMergeable, isBehind = false }: { isMergeable: boolean | null; isBehind?: boolean },
  { isDraft }: ScriptedPull,
): string {
  if (isMergeable === false) return 'dirty'
  return isDraft ? 'draft' : isBehind ? 'behind' : 'clean'
}

/** A pull request. What only its own address has comes with `mergeable`. */
export function renderPull(
  state: ForgeState,
  repository: ScriptedRepository,
  issue: ScriptedIssue,
  branches: { head: string; base: string; isMergeable: boolean | null; isBehind?: boolean },
) {
  const { pull } = issue
  if (pull === undefined) throw new Error(`issue ${issue.number} is no pull request`)
  const { merged } = pull
  const isMerged = merged !== undefined
  const renderSide = (owner: string, ref: string, sha: string) => ({
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: renderUser(state, owner),
    repo: renderRepository(state, state.repositories.find(each => each.owner === owner) ?? repository, issue.author),
  })
  const { html_url, created_at, updated_at, closed_at, title, body, user, labels, author_association } = renderIssue(
    state,
    repository,
    issue,
  )
  return {
    ...{ html_url, created_at, updated_at, closed_at, title, body, user, labels, author_association },
    id: toId(`pull ${repository.owner}/${repository.name}#${issue.number}`),
    node_id: getPullNodeId(repository, issue.number),
    url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/pulls/${issue.number}`,
    number: issue.number,
    state: issue.state,
    locked: false,
    draft: pull.isDraft,
    merged: isMerged,
    merged_at: merged?.at ?? null,
    merged_by: merged ? renderUser(state, merged.by) : null,
    merge_commit_sha: merged?.commit ?? null,
    mergeable: isMerged ? null : branches.isMergeable,
    mergeable_state: isMerged ? 'unknown' : describeMergeability(branches, pull),
    comments: issue.comments.length,
    review_comments: pull.lineComments.length,
    requested_reviewers: pull.requestedReviewers.map(login => renderUser(state, login)),
    requested_teams: pull.requestedTeams.map(slug => ({ id: toId(slug), name: slug, slug })),
    auto_merge: pull.autoMerge
      ? {
          enabled_by: renderUser(state, pull.autoMerge.by),
          merge_method: pull.autoMerge.method,
          commit_title: '',
          commit_message: '',
        }
      : null,
    head: renderSide(pull.headOwner, pull.headBranch, branches.head),
    base: renderSide(repository.owner, pull.base, branches.base),
  }
}

export function getPullNodeId({ owner, name }: ScriptedRepository, number: number): string {
  return `PR_${owner}_${name}_${number}`
}

export function renderComment(
  state: ForgeState,
  repository: ScriptedRepository,
  { number }: ScriptedIssue,
  comment: ScriptedComment,
) {
  const { id, author, body, createdAt, updatedAt } = comment
  const place = `${repository.owner}/${repository.name}`
  return {
    id,
    node_id: `IC_${id}`,
    url: `${state.url}/api/v3/repos/${place}/issues/comments/${id}`,
    html_url: `${state.url}/${place}/issues/${number}#issuecomment-${id}`,
    issue_url: `${state.url}/api/v3/repos/${place}/issues/${number}`,
    body,
    user: renderUser(state, author),
    created_at: createdAt,
    updated_at: updatedAt,
    author_association: getAssociation(repository, author),
  }
}

export function renderLineComment(
  state: ForgeState,
  repository: ScriptedRepository,
  issue: ScriptedIssue,
  comment: ScriptedComment,
) {
  const { issue_url: _, ...common } = renderComment(state, repository, issue, comment)
  const { path = '', line = 1, commit = '', inReplyTo } = comment.line ?? {}
  return {
    ...common,
    pull_request_review_id: null,
    pull_request_url: `${state.url}/api/v3/repos/${repository.owner}/${repository.name}/pulls/${issue.number}`,
    diff_hunk: '',
    path,
    line,
    side: 'RIGHT' as const,
    commit_id: commit,
    original_commit_id: commit,
    ...(inReplyTo === undefined ? {} : { in_reply_to_id: inReplyTo }),
  }
}

export function renderReview(
  state: ForgeState,
  repository: ScriptedRepository,
  { number }: ScriptedIssue,
  review: ScriptedReview,
) {
  const { id, author, body, commit, submittedAt } = review
  return {
    id,
    node_id: `PRR_${id}`,
    user: renderUser(state, author),
    body,
    state: review.state,
    html_url: `${state.url}/${repository.owner}/${repository.name}/pull/${number}#pullrequestreview-${id}`,
    submitted_at: submittedAt,
    commit_id: commit,
    author_association: getAssociation(repository, author),
  }
}

export function renderCheckRun({ url }: ForgeState, run: ScriptedCheckRun) {
  return {
    id: run.id,
    node_id: `CR_${run.id}`,
    head_sha: run.commit,
    name: run.name,
    external_id: run.externalId ?? '',
    url: `${url}/api/v3/check-runs/${run.id}`,
    html_url: `${url}/runs/${run.id}`,
    details_url: run.detailsUrl ?? null,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text ?? null,
      annotations_count: run.annotations?.length ?? 0,
      annotations_url: `${url}/api/v3/check-runs/${run.id}/annotations`,
    },
    check_suite: { id: run.suite ?? getSuiteId(OTHER_APP) },
    app: renderApp(run.suite === undefined ? OTHER_APP : 'github-actions'),
    pull_requests: [],
  }
}

/** The checks of a commit that come from one app, or from one run of a workflow. */
export interface ScriptedSuite
  extends Pick<ScriptedWorkflowRun, 'id' | 'commit' | 'status' | 'conclusion' | 'startedAt'> {
  app: string
  runCount: number
}

/** The app that reports checks which no workflow has made. */
export const OTHER_APP = 'other-ci'

/** The number of the suite that an app has for every commit. */
export const getSuiteId = (app: string) => toId(`suite of ${app}`)

export function renderCheckSuite({ url }: ForgeState, suite: ScriptedSuite) {
  const { id, commit, app, status, conclusion, startedAt, runCount } = suite
  return {
    ...{ id, node_id: `CS_${id}`, head_branch: null, head_sha: commit, status, conclusion },
    ...{ url: `${url}/api/v3/check-suites/${id}`, pull_requests: [], app: renderApp(app) },
    ...{ created_at: startedAt, updated_at: startedAt, latest_check_runs_count: runCount },
  }
}

export function renderWorkflowRun({ url }: ForgeState, run: ScriptedWorkflowRun) {
  const { id, commit, workflow, event, status, conclusion, startedAt } = run
  return {
    ...{ id, node_id: `WFR_${id}`, name: workflow, check_suite_id: id, head_branch: null, head_sha: commit },
    ...{ path: `.github/workflows/${workflow}.yml`, run_number: 1, run_attempt: 1, event, status, conclusion },
    ...{ workflow_id: toId(workflow), url: `${url}/api/v3/actions/runs/${id}`, html_url: `${url}/actions/runs/${id}` },
    ...{ pull_requests: [], created_at: startedAt, updated_at: startedAt, run_started_at: startedAt },
  }
}

/** A job of a workflow: its check run is the same. */
export function renderJob({ url }: ForgeState, run: ScriptedCheckRun) {
  const { id, commit, suite = 0, name, status, conclusion, startedAt, completedAt } = run
  return {
    ...{ id, node_id: `JOB_${id}`, run_id: suite, run_url: `${url}/api/v3/actions/runs/${suite}`, head_sha: commit },
    ...{ url: `${url}/api/v3/actions/jobs/${id}`, html_url: `${url}/actions/runs/${suite}/job/${id}`, name },
    ...{ status, conclusion, created_at: startedAt, started_at: startedAt, completed_at: completedAt },
  }
}

function renderApp(slug: string) {
  return { id: toId(slug), node_id: `A_${slug}`, slug, name: slug === 'github-actions' ? 'GitHub Actions' : slug }
}

export function renderAnnotation(
  { path, line, message }: NonNullable<ScriptedCheckRun['annotations']>[number],
  { url }: ForgeState,
) {
  return {
    ...{ path, start_line: line, end_line: line, start_column: null, end_column: null, message, title: null },
    ...{ annotation_level: 'failure', raw_details: null, blob_href: url },
  }
}

export function renderStatus(state: ForgeState, status: ScriptedStatus) {
  return {
    id: status.id,
    node_id: `SC_${status.id}`,
    url: `${state.url}/api/v3/statuses/${status.commit}`,
    avatar_url: null,
    state: status.state,
    context: status.context,
    description: status.description,
    target_url: status.targetUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
  }
}
