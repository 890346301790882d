import type { Forge } from '../forge.ts'
import type { Finding } from './findings.ts'

/** Leave out the threads that were resolved on GitHub. That is asked only where there is a thread: only GraphQL has it. */
export async function leaveOutResolved(forge: Forge, number: number, findings: Finding[]): Promise<Finding[]> {
  if (findings.every(({ threadId }) => threadId === null)) return findings
  const resolved = await readResolvedThreads(forge, number)
  return findings.filter(({ threadId }) => threadId === null || !resolved.has(threadId))
}

// --- internal ---

const THREADS = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        nodes { isResolved comments(first: 1) { nodes { fullDatabaseId } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`

interface ThreadPage {
  nodes: { isResolved: boolean; comments: { nodes: { fullDatabaseId: string }[] } }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

/** The first comment of each. */
async function readResolvedThreads(forge: Forge, number: number): Promise<Set<number>> {
  const ids: number[] = []
  for (let after: string | null = null, isLast = false; !isLast; ) {
    const { nodes, pageInfo }: ThreadPage = await readThreadPage(forge, number, after)
    for (const { isResolved, comments } of nodes)
      if (isResolved) ids.push(...comments.nodes.map(({ fullDatabaseId }) => Number(fullDatabaseId)))
    after = pageInfo.endCursor
    isLast = !pageInfo.hasNextPage
  }
  return new Set(ids)
}

async function readThreadPage(
  { repository, request }: Forge,
  number: number,
  after: string | null,
): Promise<ThreadPage> {
  const answer = await request(`read the threads of pull request ${number}`, client =>
    client.graphql<{ repository: { pullRequest: { reviewThreads: ThreadPage } } }>(THREADS, {
      owner: repository.owner,
      name: repository.repo,
      number,
      after,
    }),
  )
  return answer.repository.pullRequest.reviewThreads
}
