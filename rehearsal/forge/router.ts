import type { ForgeState, ScriptedIssue, ScriptedRepository, ScriptedToken } from './state.ts'

/** What GitHub answers. */
export interface Reply {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

/** One request, after it was found out who asks, and about which repository. */
export interface Call {
  state: ForgeState
  token: ScriptedToken
  repository: ScriptedRepository
  /** What the path has in the place of `:number` and the like. */
  params: Record<string, string>
  query: URLSearchParams
  body: Record<string, unknown>
  /** Tell the webhook. */
  emit(event: string, payload: Record<string, unknown>): void
}

/** Which permission of a fine-grained token a route needs. */
export type Need = [permission: string, access: 'read' | 'write']

export interface Route {
  method: string
  pattern: RegExp
  names: string[]
  need: Need | undefined
  answer(call: Call): Reply | Promise<Reply>
}

/** `POST /repos/:owner/:repo/pulls`, what it needs, and what answers. `*name` takes the rest of the path. */
export function route(line: string, need: Need | undefined, answer: Route['answer']): Route {
  const [method = '', path = ''] = line.split(' ')
  const names: string[] = []
  const source = path.replace(/[:*](\w+)/g, (whole, name: string) => {
    names.push(name)
    return whole.startsWith('*') ? '(.+)' : '([^/]+)'
  })
  return { method, pattern: new RegExp(`^${source}$`), names, need, answer }
}

/** The route of a request, and what its path names. */
export function findRoute(routes: Route[], method: string, path: string) {
  for (const candidate of routes) {
    const found = candidate.method === method ? candidate.pattern.exec(path) : null
    if (found === null) continue
    const values = found.slice(1).map(decodeURIComponent)
    const params = Object.fromEntries(candidate.names.map((name, at) => [name, values[at] ?? '']))
    return { route: candidate, params }
  }
  return undefined
}

export const ok = (body: unknown): Reply => ({ status: 200, body })
export const created = (body: unknown): Reply => ({ status: 201, body })
export const fail = (status: number, message: string, errors?: unknown[]): Reply => ({
  status,
  body: {
    message,
    ...(errors && { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  },
})
export const notFound = fail(404, 'Not Found')

/** What is missing or wrong in a request: 422. */
export function refuse(resource: string, field: string, message?: string): Reply {
  const detail =
    message === undefined ? { resource, field, code: 'missing_field' } : { resource, field, code: 'custom', message }
  return fail(422, 'Validation Failed', [detail])
}

/** One page of a list, with the addresses of its neighbors in `Link`, as GitHub gives them. */
export function paginate(url: URL, items: unknown[], wrap = (page: unknown[]): unknown => page): Reply {
  const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30))
  const page = Number(url.searchParams.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(items.length / size))
  const link = (to: number, rel: string) => {
    const address = new URL(url)
    address.searchParams.set('page', String(to))
    return `<${address}>; rel="${rel}"`
  }
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev'), link(1, 'first')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
  ]
  const headers = links.length === 0 ? {} : { link: links.join(', ') }
  return { status: 200, body: wrap(items.slice((page - 1) * size, page * size)), headers }
}

/** A list whose pages the server makes. */
export function list(items: unknown[], wrap?: (page: unknown[]) => unknown): Reply {
  return { status: 200, body: new PagedList(items, wrap) }
}

export class PagedList {
  readonly items: unknown[]
  readonly wrap: ((page: unknown[]) => unknown) | undefined

  constructor(items: unknown[], wrap: ((page: unknown[]) => unknown) | undefined) {
    this.items = items
    this.wrap = wrap
  }
}

/** The issue or the pull request that the path names. */
export function findIssue({ repository, params }: Call): ScriptedIssue | undefined {
  return repository.issues.find(({ number }) => number === Number(params['number']))
}

/** A field of a request as text; empty if it is something else. */
export function readText(body: Record<string, unknown>, name: string): string {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

/** A field of a request as a list of texts. Labels may come as objects with a name. */
export function readList(body: Record<string, unknown>, name: string): string[] {
  const value = body[name]
  if (!Array.isArray(value)) return []
  return value.flatMap(each => (typeof each === 'string' ? [each] : [String((each as { name?: string }).name ?? '')]))
}
