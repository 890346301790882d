import { DispatchError, exitCodes } from '#host/error.ts'
import type { Forge } from '../forge.ts'
import { type Association, revealMembers } from './trust.ts'

/** Words of a person, and when. Times are ISO 8601. */
export interface Writing {
  author: string
  association: Association
  body: string
  createdAt: string
  /** The last edit of the body; null for none. */
  editedAt: string | null
}

export interface IssueComment extends Writing {
  /** A later comment has a higher one. */
  id: number
}

export interface Issue extends Writing {
  number: number
  url: string
  title: string
  isOpen: boolean
  labels: string[]
  milestone: string | null
  /** The clock of GitHub when it was read. */
  readAt: string
}

/** An issue in a list, before it is looked at. */
export interface ListedIssue {
  number: number
  updatedAt: string
  milestone: string | null
}

/** Read an issue, with the time of its last edit, which only GraphQL has. Exit 4 for none, 5 for a pull request. */
export async function readIssue(forge: Forge, number: number): Promise<Issue> {
  const { repository, request } = forge
  const { data, headers } = await request(`read issue ${number}`, client =>
    client.rest.issues.get({ ...repository, issue_number: number }),
  )
  if (data.pull_request !== undefined)
    throw new DispatchError(`${repository.owner}/${repository.repo} #${number} is a pull request, and not an issue`, {
      exitCode: exitCodes.conflict,
      remedy: 'Name an issue.',
    })
  const edited = await request(`read issue ${number}`, client =>
    client.graphql<{ repository: { issue: { lastEditedAt: string | null } } }>(LAST_EDIT, {
      owner: repository.owner,
      name: repository.repo,
      number,
    }),
  )
  return {
    number,
    url: data.html_url,
    title: data.title,
    body: data.body ?? '',
    author: data.user?.login ?? GHOST,
    association: data.author_association ?? 'NONE',
    createdAt: data.created_at,
    editedAt: edited.repository.issue.lastEditedAt,
    isOpen: data.state === 'open',
    labels: data.labels.flatMap(label => (typeof label === 'string' ? label : (label.name ?? []))),
    milestone: data.milestone?.title ?? null,
    readAt: new Date(headers.date ?? Date.now()).toISOString(),
  }
}

/** All comments of an issue, the oldest first. Who may write counts as close to the repository, also where GitHub hides that. */
export async function readComments(forge: Forge, number: number): Promise<IssueComment[]> {
  return revealMembers(forge, await listComments(forge, number))
}

/** The same as GitHub says it. */
export async function listComments({ repository, request }: Forge, number: number): Promise<IssueComment[]> {
  const listed = await request(`read the comments of issue ${number}`, client =>
    client.paginate(client.rest.issues.listComments, { ...repository, issue_number: number, per_page: 100 }),
  )
  return listed.map(toComment).sort((a, b) => a.id - b.id)
}

/** Part of what GitHub says of a comment, as a comment. Pure. */
export function toComment(listed: {
  id: number
  user: { login: string } | null
  author_association?: string
  body?: string
  created_at: string
  updated_at: string
}): IssueComment {
  return {
    id: listed.id,
    author: listed.user?.login ?? GHOST,
    association: listed.author_association ?? 'NONE',
    body: listed.body ?? '',
    createdAt: listed.created_at,
    editedAt: listed.updated_at === listed.created_at ? null : listed.updated_at,
  }
}

// --- internal ---

/** Whose account is gone. */
const GHOST = 'ghost'

const LAST_EDIT = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { issue(number: $number) { lastEditedAt } }
}`
