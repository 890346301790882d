import type { Forge } from '../forge.ts'
import { toComment, type Writing } from '../issues/issue.ts'
import { revealMembers } from '../issues/trust.ts'

/** What a person wrote about a pull request. */
export interface Words extends Writing {
  kind: 'line' | 'review' | 'conversation'
  id: number
  url: string
  /** The first comment of its thread, for one on a line; null otherwise. */
  threadId: number | null
  /** Where in the files, for one on a line: `src/a.ts line 12`. */
  place: string
}

/**
 * Read what people wrote about a pull request: on its lines, in reviews that have words, and in its conversation. Who may write counts as
 * close to the repository, also where GitHub hides that.
 */
export async function readWords(forge: Forge, number: number): Promise<Words[]> {
  const { repository, request } = forge
  const action = `read the comments of pull request ${number}`
  const pull = { ...repository, pull_number: number, per_page: 100 }
  const issue = { ...repository, issue_number: number, per_page: 100 }
  const lines = await request(action, client => client.paginate(client.rest.pulls.listReviewComments, pull))
  const reviews = await request(action, client => client.paginate(client.rest.pulls.listReviews, pull))
  const comments = await request(action, client => client.paginate(client.rest.issues.listComments, issue))
  return revealMembers<Words>(forge, [
    ...lines.map(line => ({
      ...toComment(line),
      kind: 'line' as const,
      url: line.html_url,
      threadId: line.in_reply_to_id ?? line.id,
      place: `${line.path} line ${line.line ?? line.original_line ?? '?'}`,
    })),
    // An approval asks for nothing, and one that is not submitted or was withdrawn says nothing.
    ...reviews
      .filter(({ state, body }) => ['CHANGES_REQUESTED', 'COMMENTED'].includes(state) && body.trim() !== '')
      .map(({ id, user, body, author_association, html_url, submitted_at = '' }) => ({
        ...toComment({ id, user, body, author_association, created_at: submitted_at, updated_at: submitted_at }),
        ...{ kind: 'review' as const, url: html_url, threadId: null, place: '' },
      })),
    ...comments.map(comment => ({
      ...toComment({ ...comment, user: comment.user ?? null }),
      ...{ kind: 'conversation' as const, url: comment.html_url, threadId: null, place: '' },
    })),
  ])
}
