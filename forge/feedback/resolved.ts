import type { Forge } from '../forge.ts'
import type { Words } from './comments.ts'

/**
 * Leave out what was settled or hidden on GitHub: words in a thread that was resolved, and those that a maintainer has minimized, as spam or
 * as outdated. Only GraphQL has it.
 */
export async function leaveOutResolved(forge: Forge, number: number, words: Words[]): Promise<Words[]> {
  const hasLines = words.some(({ kind }) => kind === 'line')
  const threads = hasLines ? await readAll<Thread>(forge, number, 'reviewThreads', THREAD_FIELDS) : []
  const left = new Set(
    threads.flatMap(({ isResolved, comments }) =>
      comments.nodes.filter(({ isMinimized }) => isResolved || isMinimized).map(each => getKey('line', each)),
    ),
  )
  for (const [kind, field] of [
    ['review', 'reviews'],
    ['conversation', 'comments'],
  ] as const) {
    if (words.every(each => each.kind !== kind)) continue
    for (const each of await readAll<Comment>(forge, number, field, COMMENT_FIELDS))
      if (each.isMinimized) left.add(getKey(kind, each))
  }
  return words.filter(({ kind, id }) => !left.has(`${kind}/${id}`))
}

// --- internal ---

interface Comment {
  fullDatabaseId: string
  isMinimized: boolean
}

interface Thread {
  isResolved: boolean
  comments: { nodes: Comment[] }
}

interface Page<Node> {
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

const COMMENT_FIELDS = 'fullDatabaseId isMinimized'
const THREAD_FIELDS = `isResolved comments(first: 100) { nodes { ${COMMENT_FIELDS} } }`

const getKey = (kind: Words['kind'], { fullDatabaseId }: Comment) => `${kind}/${fullDatabaseId}`

/** All pages of a list of a pull request. */
async function readAll<Node>(
  { repository, request }: Forge,
  number: number,
  field: 'reviewThreads' | 'reviews' | 'comments',
  fields: string,
): Promise<Node[]> {
  const query = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
    repository(owner: $owner, name: $name) {
      pullRequest(number: $number) {
        ${field}(first: 100, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } }
      }
    }
  }`
  const nodes: Node[] = []
  for (let after: string | null = null, isLast = false; !isLast; ) {
    const variables = { owner: repository.owner, name: repository.repo, number, after }
    const answer: { repository: { pullRequest: Record<string, Page<Node>> } } = await request(
      `read what was hidden in pull request ${number}`,
      client => client.graphql(query, variables),
    )
    const page: Page<Node> | undefined = answer.repository.pullRequest[field]
    nodes.push(...(page?.nodes ?? []))
    after = page?.pageInfo.endCursor ?? null
    isLast = page?.pageInfo.hasNextPage !== true
  }
  return nodes
}
