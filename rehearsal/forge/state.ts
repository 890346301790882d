import { MINUTE_MS } from '#host/time.ts'

/** How long ago a check began that CI reports, and something was written that is found now. */
const CI_TAKES_MS = 5 * MINUTE_MS
const WRITTEN_AGO_MS = 5 * MINUTE_MS

/** What a person, a bot or a team of the scripted forge may do in a repository. */
export type Role = 'admin' | 'write' | 'triage' | 'read' | 'none'

/** Whose token it is, and what it may do: scopes of a classic one, or permissions of a fine-grained one or of an App. */
export interface ScriptedToken {
  login: string
  scopes?: string[]
  permissions?: Record<string, 'read' | 'write'>
  /** Requests until the limit, and when that is over, in seconds since 1970. */
  rate: { remaining: number; resetAt: number }
}

export interface ScriptedComment {
  id: number
  author: string
  body: string
  createdAt: string
  updatedAt: string
  reactions: { author: string; content: string }[]
  /** Of a comment on a line: where, and which comment it answers. */
  line?: { path: string; line: number; commit: string; inReplyTo: number | undefined }
  /** Of the first comment of a thread. */
  isResolved?: boolean
  /** A maintainer has hidden it. */
  isMinimized?: boolean
}

export interface ScriptedReview {
  id: number
  author: string
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED'
  body: string
  commit: string
  submittedAt: string
  isMinimized?: boolean
}

/** An issue; a pull request is one too. */
export interface ScriptedIssue {
  number: number
  author: string
  title: string
  body: string
  state: 'open' | 'closed'
  labels: string[]
  milestone: string | undefined
  createdAt: string
  updatedAt: string
  /** The last edit of its body. */
  editedAt?: string
  comments: ScriptedComment[]
  reactions: { author: string; content: string }[]
  /** Who did what to it, such as who set a label. */
  events: { id: number; event: string; actor: string; createdAt: string; label?: string; milestone?: string }[]
  subIssues: number[]
  pull?: ScriptedPull
}

export interface ScriptedPull {
  headOwner: string
  headBranch: string
  /** Where the branch was last seen. */
  headCommit: string
  base: string
  isDraft: boolean
  reviews: ScriptedReview[]
  lineComments: ScriptedComment[]
  requestedReviewers: string[]
  requestedTeams: string[]
  merged?: { commit: string; by: string; at: string }
  autoMerge?: { method: MergeMethod; by: string; commit: string | undefined }
  isQueued: boolean
  /** How often it was looked at since it is in the queue: GitHub tells of that only a moment later. */
  queuedLooks?: number
}

export type MergeMethod = 'merge' | 'squash' | 'rebase'

export interface ScriptedCheckRun {
  id: number
  commit: string
  name: string
  status: 'queued' | 'in_progress' | 'completed'
  conclusion: 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required' | null
  /** The suite of it; without one, it is in that of another app than GitHub Actions. */
  suite?: number
  title: string
  summary: string
  externalId?: string
  detailsUrl?: string
  text?: string
  annotations?: { path: string; line: number; message: string }[]
  /** What the job has printed. */
  log?: string
  startedAt: string
  completedAt: string | null
}

/** A run of a workflow of GitHub Actions: it has a suite from its beginning, and a check run for each job that has begun. */
export interface ScriptedWorkflowRun {
  /** The number of its suite too. */
  id: number
  commit: string
  workflow: string
  /** What has started it: `push`, `pull_request`. */
  event: string
  /** The repository whose branch it is about; undefined: its own. */
  headRepository?: string
  status: ScriptedCheckRun['status']
  conclusion: ScriptedCheckRun['conclusion']
  startedAt: string
}

export interface ScriptedStatus {
  id: number
  commit: string
  context: string
  state: 'error' | 'failure' | 'pending' | 'success'
  description: string
  targetUrl: string
  createdAt: string
}

/** What a branch asks for before something is merged into it. */
export interface ScriptedRules {
  requiredChecks: string[]
  requiredApprovals: number
  hasMergeQueue: boolean
  /** Must a branch be up to date before it is merged? */
  isStrict?: boolean
  /** What is in the merge queue stays there until a test takes this away. */
  holdsQueue?: boolean
}

export interface ScriptedRepository {
  owner: string
  name: string
  isPrivate: boolean
  /** The bare repository. */
  folder: string
  defaultBranch: string
  roles: Record<string, Role>
  /** Members of the organization that do not say so in public. */
  hiddenMembers: string[]
  /** The owner of the repository that this one is a fork of. */
  forkOf: string | undefined
  allowsAutoMerge: boolean
  methods: MergeMethod[]
  rules: Record<string, ScriptedRules>
  /** Is it private on a free plan? Such a repository can have no rules. */
  isFree: boolean
  issues: ScriptedIssue[]
  checkRuns: ScriptedCheckRun[]
  workflowRuns: ScriptedWorkflowRun[]
  statuses: ScriptedStatus[]
  /** The names of the secrets of its workflows, and whether those may open pull requests. */
  secretNames: string[]
  /** Those that an organization gives it; undefined if a person owns it. */
  organizationSecrets: string[] | 'hidden' | undefined
  mayWorkflowsOpenPulls: boolean
  /** Does this GitHub know sub-issues? An older Enterprise server does not. */
  knowsSubIssues: boolean
}

/** All that the scripted forge knows. A test reads it, and changes it as people on GitHub would. */
export interface ForgeState {
  url: string
  tokens: Record<string, ScriptedToken>
  repositories: ScriptedRepository[]
  /** The App: its public key, the number of its installation, and the token that an installation gets. */
  app: { id: string; publicKey: string; installation: number; token: string } | undefined
  /** Every number that it gives. */
  nextId: number
}

export function findRepository(state: ForgeState, owner: string, name: string): ScriptedRepository | undefined {
  const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  return state.repositories.find(each => isSame(each.owner, owner) && isSame(each.name, name))
}

/** The repository that has the branch of a pull request. */
export function findHeadRepository(state: ForgeState, base: ScriptedRepository, headOwner: string) {
  return findRepository(state, headOwner, base.name) ?? base
}

/** What a person may do. Everyone reads what is public. */
export function getRole(repository: ScriptedRepository, login: string): Role {
  return repository.roles[login] ?? (repository.isPrivate ? 'none' : 'read')
}

export function mayWrite(repository: ScriptedRepository, login: string): boolean {
  return ['admin', 'write'].includes(getRole(repository, login))
}

/** An issue or a pull request as it was just made. */
export function createIssue(
  state: ForgeState,
  repository: ScriptedRepository,
  facts: Pick<ScriptedIssue, 'author' | 'title' | 'body'> & { labels?: string[]; pull?: ScriptedPull },
): ScriptedIssue {
  const { author, title, body, labels = [], pull } = facts
  const now = new Date().toISOString()
  const issue: ScriptedIssue = {
    ...{ author, title, body, labels: [], comments: [], reactions: [], events: [], subIssues: [] },
    number: repository.issues.length + 1,
    state: 'open',
    milestone: undefined,
    createdAt: now,
    updatedAt: now,
    ...(pull && { pull }),
  }
  for (const label of labels) setLabel(state, issue, label, author)
  repository.issues.push(issue)
  return issue
}

/** Have a person comment on a line of a pull request, or answer there. */
export function addLineComment(
  state: ForgeState,
  issue: ScriptedIssue,
  { author, body, ...place }: { author: string; body: string; path: string; line: number; inReplyTo?: number },
): ScriptedComment {
  const writtenAt = new Date(Date.now() - WRITTEN_AGO_MS).toISOString()
  const comment: ScriptedComment = { ...createComment(state, author, body), createdAt: writtenAt, updatedAt: writtenAt }
  comment.line = { inReplyTo: undefined, ...place, commit: issue.pull?.headCommit ?? '' }
  issue.pull?.lineComments.push(comment)
  touch(issue)
  return comment
}

/** Have a person review what a pull request has now. */
export function addReview(
  state: ForgeState,
  issue: ScriptedIssue,
  facts: Pick<ScriptedReview, 'author' | 'state' | 'body'>,
): ScriptedReview {
  const review = { id: state.nextId++, ...facts, commit: issue.pull?.headCommit ?? '', submittedAt: '' }
  touch(issue)
  review.submittedAt = new Date(Date.now() - WRITTEN_AGO_MS).toISOString()
  issue.pull?.reviews.push(review)
  return review
}

/** Have GitHub Actions run a workflow for a commit. */
export function addWorkflowRun(
  state: ForgeState,
  { workflowRuns }: Pick<ScriptedRepository, 'workflowRuns'>,
  facts: Pick<ScriptedWorkflowRun, 'commit' | 'workflow'> & Partial<ScriptedWorkflowRun>,
): ScriptedWorkflowRun {
  const begun = { event: 'pull_request', status: 'completed', conclusion: 'success' } as const
  const run = { id: state.nextId++, ...begun, startedAt: new Date(Date.now() - CI_TAKES_MS).toISOString(), ...facts }
  workflowRuns.push(run)
  return run
}

/** Have CI report a check of a commit. It took a while. */
export function addCheckRun(
  state: ForgeState,
  { checkRuns }: Pick<ScriptedRepository, 'checkRuns'>,
  facts: Pick<ScriptedCheckRun, 'commit' | 'name' | 'conclusion'> & Partial<ScriptedCheckRun>,
): void {
  const run = {
    id: state.nextId++,
    status: 'completed' as const,
    title: '',
    summary: '',
    startedAt: new Date(Date.now() - CI_TAKES_MS).toISOString(),
    completedAt: new Date().toISOString(),
  }
  checkRuns.push({ ...run, ...facts })
}

/** Set a label, and remember who did. */
export function setLabel(state: ForgeState, issue: ScriptedIssue, label: string, actor: string): void {
  if (issue.labels.includes(label)) return
  issue.labels.push(label)
  touch(issue)
  issue.events.push({ id: state.nextId++, event: 'labeled', actor, createdAt: issue.updatedAt, label })
}

/** Put an issue into a milestone, and remember who did. */
export function setMilestone(state: ForgeState, issue: ScriptedIssue, milestone: string, actor: string): void {
  issue.milestone = milestone
  touch(issue)
  issue.events.push({ id: state.nextId++, event: 'milestoned', actor, createdAt: issue.updatedAt, milestone })
}

export function createComment(state: ForgeState, author: string, body: string): ScriptedComment {
  const now = new Date().toISOString()
  return { id: state.nextId++, author, body, createdAt: now, updatedAt: now, reactions: [] }
}

export function touch(issue: ScriptedIssue): void {
  issue.updatedAt = new Date().toISOString()
}
