import { getStatus } from '../errors.ts'
import type { Forge } from '../forge.ts'
import type { ListedIssue } from './issue.ts'

/** Which issues: with a label, or in a milestone. */
export type IssueQuery = { label: string } | { milestone: string }

/** The open issues of a query, as they were last read. */
export interface IssueList {
  issues: ListedIssue[]
  /** What GitHub calls this state of the list. */
  etag: string | undefined
}

/**
 * List the open issues of a query, by number. With the list before it GitHub is asked whether anything has changed: if not, that costs
 * nothing of the rate limit.
 */
export async function listIssues(forge: Forge, query: IssueQuery, before?: IssueList): Promise<IssueList> {
  const { repository, request } = forge
  // The last changed first: any change is on the first page, whose tag is compared.
  const filter = { state: 'open', sort: 'updated', direction: 'desc', per_page: 100 } as const
  const wanted = 'label' in query ? { ...repository, ...filter, labels: query.label } : { ...repository, ...filter }
  const tag = before?.etag === undefined ? {} : { headers: { 'if-none-match': before.etag } }
  const issues: ListedIssue[] = []
  let etag: string | undefined
  for (let page = 1; ; page++) {
    const answer = await request('list the issues', async client => {
      try {
        return await client.rest.issues.listForRepo({ ...wanted, page, ...(page === 1 ? tag : {}) })
      } catch (error) {
        if (getStatus(error) === 304) return undefined
        throw error
      }
    })
    if (answer === undefined && before !== undefined) return before
    if (answer === undefined) throw new Error('GitHub says that a list is unchanged that was never read')
    if (page === 1) etag = answer.headers.etag
    for (const { number, updated_at, milestone, pull_request } of answer.data)
      if (pull_request === undefined)
        issues.push({ number, updatedAt: updated_at, milestone: milestone?.title ?? null })
    if (answer.data.length < filter.per_page) break
  }
  const found = issues.filter(({ milestone }) => 'label' in query || milestone === query.milestone)
  return { issues: found.sort((a, b) => a.number - b.number), etag }
}
