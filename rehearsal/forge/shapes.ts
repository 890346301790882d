import { sha256 } from '#host/hash.ts'
import type {
  ForgeState,
  ScriptedComment,
  ScriptedIssue,
  ScriptedPull,
  ScriptedRepository,
  ScriptedReview,
} from './state.ts'
import { getRole } from './state.ts'

/** The shapes of GitHub's answers. A test compares them with the types that octokit publishes. */

/** The same number for the same text, such as a name. */
export const toId = (text: string) => Number.parseInt(sha256(text).slice(0, 7), 16)

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
