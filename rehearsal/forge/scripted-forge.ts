import fs from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { git } from '#host/git'
import { sha256 } from '#host/hash.ts'
import { http } from '#host/http.ts'
import { buildTokenHeaders, checkAccess, findToken, takeFromLimit } from './access.ts'
import { actionsRoutes, answerLog } from './actions.ts'
import { appRoutes } from './app.ts'
import { readSides } from './branches.ts'
import { checkRoutes } from './checks.ts'
import { serveGit } from './git-server.ts'
import { answerGraphql } from './graphql.ts'
import { issueRoutes } from './issues.ts'
import { settleMerges } from './merge.ts'
import { pullRoutes, render } from './pulls.ts'
import { repositoryRoutes } from './repository.ts'
import { fail, findRoute, notFound, PagedList, paginate, type Reply } from './router.ts'
import { type ForgeState, findRepository, mayWrite, type ScriptedRepository, type ScriptedToken } from './state.ts'
import { subIssueRoutes } from './sub-issues.ts'
import { sendEvent, type Webhook } from './webhooks.ts'

/** A request of the API, for tests. */
export interface ForgeRequest {
  method: string
  path: string
  body: string
}

/** What a test puts in the place of an answer: an answer of its own, a connection that breaks off, or none at all. */
export type Fault = Reply | 'break off' | 'hang'

export interface ScriptedForge {
  url: string
  apiUrl: string
  state: ForgeState
  requests: ForgeRequest[]
  /** Asked for each request; undefined lets it through. */
  fault: ((request: ForgeRequest) => Fault | undefined) | undefined
  /** Create a repository with a first commit, and return it. The remote's address is `url/owner/name.git`. */
  createRepository(facts: Partial<ScriptedRepository> & { owner: string; name: string }): Promise<ScriptedRepository>
  addToken(value: string, facts: Pick<ScriptedToken, 'login'> & Partial<ScriptedToken>): ScriptedToken
  /** Do what has become possible after a test has changed the state: merges that waited. */
  settle(): Promise<void>
  /** Refuse connections, as where the network is dead. */
  goAway(): Promise<void>
  /** Take them again, at the same address. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

/**
 * Start a loopback server that speaks GitHub's REST, a few calls of GraphQL, and git over HTTP, on bare repositories in a folder. A pull
 * request follows its branch, and a merge is a merge.
 */
export async function startScriptedForge(folder: string, webhook?: Webhook): Promise<ScriptedForge> {
  const state: ForgeState = { url: '', tokens: {}, repositories: [], app: undefined, nextId: 1 }
  const server = http.createServer((request, response) => {
    answer(forge, folder, webhook, request, response).catch(error => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(error))
    })
  })
  const close = () =>
    new Promise<void>(resolve => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const forge: ScriptedForge = {
    ...{ url: '', apiUrl: '', state, requests: [], fault: undefined },
    createRepository: facts => createRepository(state, folder, facts),
    addToken(value, facts) {
      const rate = { remaining: 5000, resetAt: Math.ceil(Date.now() / 1000) + 3600 }
      const token: ScriptedToken = { rate, ...facts }
      state.tokens[value] = token
      return token
    },
    settle: () => settleMerges({ state, emit: createEmitter(webhook) }),
    goAway: close,
    comeBack: () => listen(Number(URL.parse(state.url)?.port)),
    close,
  }
  await listen(0)
  const address = server.address()
  state.url = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`
  forge.url = state.url
  forge.apiUrl = `${state.url}/api/v3`
  return forge
}

// --- internal ---

const routes = [
  ...pullRoutes,
  ...checkRoutes,
  ...issueRoutes,
  ...subIssueRoutes,
  ...actionsRoutes,
  ...appRoutes,
  ...repositoryRoutes,
]

async function answer(
  forge: ScriptedForge,
  folder: string,
  webhook: Webhook | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { state } = forge
  const url = new URL(request.url ?? '/', state.url)
  const token = findToken(state, request.headers.authorization)
  if (/^\/[^/]+\/[^/]+\.git\//.test(url.pathname))
    return answerGit(state, folder, webhook, token, url, request, response)
  const log = answerLog(state, url.pathname, request.headers.authorization)
  if (log !== undefined) return void response.writeHead(log.status).end(log.text)
  const body = await text(request)
  const [method, apiPath] = [request.method ?? 'GET', url.pathname.replace(/^\/api(\/v3)?(?=\/)/, '')]
  const recorded = { method, path: apiPath, body }
  forge.requests.push(recorded)
  const fault = forge.fault?.(recorded)
  if (fault === 'hang') return
  if (fault === 'break off') return void request.socket.destroy()
  if (fault !== undefined) return sendReply(response, url, fault, {})
  if (token === undefined) return sendReply(response, url, fail(401, 'Bad credentials'), {})
  const emit = createEmitter(webhook)
  const call = { state, token, query: url.searchParams, body: readBody(body), emit }
  const limit = takeFromLimit(token)
  if (limit !== undefined) return sendReply(response, url, limit, buildTokenHeaders(token, undefined))
  if (method === 'POST' && apiPath === '/graphql')
    return sendReply(response, url, await answerGraphql(call), buildTokenHeaders(token, undefined))
  const found = findRoute(routes, method, apiPath)
  if (found === undefined) return sendReply(response, url, notFound, buildTokenHeaders(token, undefined))
  const { route, params } = found
  const repository = findRepository(state, params['owner'] ?? '', params['repo'] ?? '')
  const refusal = checkAccess(token, repository, route.need)
  // A route without a repository does not look at one.
  const answered = refusal ?? (await route.answer({ ...call, params, repository: repository as ScriptedRepository }))
  const reply = method === 'GET' ? tag(url, answered, request.headers['if-none-match']) : answered
  if (reply.status === 304) token.rate.remaining++ // It costs nothing.
  sendReply(response, url, reply, buildTokenHeaders(token, route.need))
}

/** What is read has a tag. To a client that knows it, nothing is sent again. */
function tag(url: URL, reply: Reply, known: string | undefined): Reply {
  if (reply.status !== 200) return reply
  const whole = reply.body instanceof PagedList ? paginate(url, reply.body.items, reply.body.wrap) : reply
  const etag = `W/"${sha256(JSON.stringify(whole.body))}"`
  return etag === known ? { status: 304, headers: { etag } } : { ...whole, headers: { ...whole.headers, etag } }
}

/** git asks without a login first. After a push, pull requests follow their branches. */
async function answerGit(
  state: ForgeState,
  root: string,
  webhook: Webhook | undefined,
  token: ScriptedToken | undefined,
  { pathname, searchParams, search }: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, owner = '', name = ''] = /^\/([^/]+)\/([^/]+)\.git\//.exec(pathname) ?? []
  const repository = findRepository(state, owner, name)
  const isPush = pathname.endsWith('/git-receive-pack') || searchParams.get('service') === 'git-receive-pack'
  if (token === undefined && (isPush || repository?.isPrivate !== false)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="scripted forge"' }).end()
    return
  }
  if (repository === undefined || (isPush && !mayWrite(repository, token?.login ?? ''))) {
    response.writeHead(repository === undefined ? 404 : 403).end('Permission denied')
    return
  }
  await serveGit(request, response, { root, user: token?.login, pathname, query: search.slice(1) })
  if (isPush && request.method === 'POST') await followBranches(state, repository, webhook)
}

async function followBranches(
  state: ForgeState,
  pushed: ScriptedRepository,
  webhook: Webhook | undefined,
): Promise<void> {
  const emit = createEmitter(webhook)
  for (const repository of state.repositories)
    for (const issue of repository.issues) {
      const { pull } = issue
      if (!pull || issue.state !== 'open' || pull.headOwner !== pushed.owner) continue
      const before = pull.headCommit
      const { head } = await readSides(state, repository, issue)
      if (head !== before)
        emit('pull_request', { action: 'synchronize', pull_request: await render({ state, repository }, issue) })
    }
  await settleMerges({ state, emit })
}

async function createRepository(
  state: ForgeState,
  root: string,
  facts: Partial<ScriptedRepository> & { owner: string; name: string },
): Promise<ScriptedRepository> {
  const { owner, name, defaultBranch = 'main' } = facts
  const folder = path.join(root, owner, `${name}.git`)
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  await git(['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, folder])
  const repository: ScriptedRepository = {
    ...{ isPrivate: true, defaultBranch, roles: { [owner]: 'admin' }, forkOf: undefined, allowsAutoMerge: false },
    ...{
      methods: ['merge', 'squash', 'rebase'],
      rules: {},
      isFree: false,
      hiddenMembers: [],
      issues: [],
      checkRuns: [],
      workflowRuns: [],
      statuses: [],
    },
    ...{ secretNames: [], organizationSecrets: undefined, mayWorkflowsOpenPulls: false, knowsSubIssues: true },
    ...facts,
    folder,
  }
  state.repositories.push(repository)
  return repository
}

function createEmitter(webhook: Webhook | undefined) {
  return (event: string, payload: Record<string, unknown>) => {
    if (webhook !== undefined) void sendEvent(webhook, event, payload)
  }
}

function readBody(text: string): Record<string, unknown> {
  if (text === '') return {}
  const body: unknown = JSON.parse(text)
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

function sendReply(response: ServerResponse, url: URL, reply: Reply, headers: Record<string, string>): void {
  const whole = reply.body instanceof PagedList ? paginate(url, reply.body.items, reply.body.wrap) : reply
  const all = { ...headers, ...whole.headers, 'x-github-request-id': 'SCRIPTED' }
  if (whole.body === undefined) return void response.writeHead(whole.status, all).end()
  response.writeHead(whole.status, { 'content-type': 'application/json; charset=utf-8', ...all })
  response.end(JSON.stringify(whole.body))
}
