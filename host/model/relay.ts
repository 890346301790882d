import type { Agent, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { http, https } from '../http.ts'
import { toOneLine } from '../text.ts'
import { SECOND_MS } from '../time.ts'
import type { Responder } from '../waiting-server.ts'
import type { Credential, CredentialHeaders } from './credential.ts'
import { unreachableWords } from './unreachable.ts'

/** Where a relay sends requests. */
export interface Upstream {
  /** The address of the model's API, such as `https://api.anthropic.com`. Its path is put in front of each request's. */
  address: URL
  /** Sent with every request, besides the credential. */
  headers: Record<string, string>
  /** The environment with the user's proxy settings. */
  environment: NodeJS.ProcessEnv
  /** Certificates to trust besides those of Node, client certificate and key, in PEM. */
  tls: { ca?: string[]; cert?: string; key?: string; passphrase?: string }
}

/**
 * Create what answers an agent in place of its model. It runs outside of the sandbox and puts the real credential into requests
 * that contain the placeholder, for the model's own paths only. When the model refuses a credential, the relay renews it and sends
 * the request again, so the agent sees neither the credential nor its renewal.
 */
export function createRelay(placeholder: string, credential: Credential, upstream: Upstream): Responder {
  const route: Route = { placeholder, credential, upstream, agent: createAgent(upstream), trustsSystem: false }
  const clients = new Set<Socket>()
  const server = http.createServer((request, response) => {
    forward(request, response, route).catch(error =>
      refuse(response, 502, `${unreachableWords} ${upstream.address.host}: ${describe(error)}`),
    )
  })
  // A model may think for many minutes before the first byte of its answer.
  server.requestTimeout = 0
  return {
    answer: client => {
      clients.add(client)
      client.once('close', () => clients.delete(client))
      server.emit('connection', client)
    },
    close: async () => {
      route.agent.destroy()
      for (const client of clients) client.destroy()
    },
  }
}

// --- internal ---

const MAX_REQUEST_BYTES = 64 * 1024 * 1024
const CONNECT_TIMEOUT_MS = 30 * SECOND_MS

/** The paths of the model's API. Others, such as those of the account, are not for an agent. */
const modelPath = /^\/v1\/(messages|models)(\/|$)/

/** Headers that belong to one connection (RFC 9110, 7.6.1), and those that the relay sets. */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
])

interface Route {
  placeholder: string
  credential: Credential
  upstream: Upstream
  agent: Agent
  /** Are the certificates of the system trusted too? Reading them takes 0.2 s, so this happens when one is missing. */
  trustsSystem: boolean
}

async function forward(request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> {
  const { placeholder, credential } = route
  const { ['x-api-key']: key, authorization } = request.headers
  if (key !== placeholder && authorization !== `Bearer ${placeholder}`)
    return refuse(response, 401, 'this is not the placeholder of this agent')
  // As a URL, the path has no `..` left, in any spelling. Of an address with a host of its own only the path counts.
  const { pathname = '', search = '' } = URL.parse(request.url ?? '', 'http://relay') ?? {}
  if (!modelPath.test(pathname)) return refuse(response, 404, 'dispatch forwards only requests to the model')
  const body = await readBody(request)
  if (body === undefined) return refuse(response, 413, `the request is longer than ${MAX_REQUEST_BYTES} bytes`)
  const abort = new AbortController()
  response.on('close', () => abort.abort())
  for (let isRenewed = false; ; isRenewed = true) {
    const login = await credential.read().catch((error: unknown) => describe(error))
    if (typeof login === 'string') return refuse(response, 401, `dispatch has no login for the model: ${login}`)
    const answer = await sendTrusting(
      () => send(request, `${pathname}${search}`, body, login, route, abort.signal),
      route,
    )
    if (answer.statusCode === 401 && !isRenewed && (await credential.renew(login))) {
      answer.resume()
      continue
    }
    response.writeHead(answer.statusCode ?? 502, keepHeaders(answer.headers))
    answer.pipe(response)
    answer.on('error', () => response.destroy())
    return
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_REQUEST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function send(
  request: IncomingMessage,
  target: string,
  body: Buffer,
  login: CredentialHeaders,
  { upstream, agent }: Route,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { address } = upstream
  const url = new URL(`${address.pathname.replace(/\/+$/, '')}${target}`, address)
  const { ['x-api-key']: _key, authorization: _token, ...others } = keepHeaders(request.headers)
  const headers = { ...others, ...login, ...upstream.headers, 'content-length': String(body.length) }
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'http:' ? http : https).request(url, {
      method: request.method,
      headers,
      agent,
      signal,
    })
    outgoing.on('socket', socket => {
      if (!socket.connecting) return
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => outgoing.destroy(new Error('no connection within 30 s')))
      socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => socket.setTimeout(0))
    })
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function keepHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const dropped = new Set([...connectionHeaders, ...(headers.connection ?? '').toLowerCase().split(/\s*,\s*/)])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)))
}

/** An error in the form of the Messages API, which claude shows to the person. */
function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) response.destroy()
  else {
    response.writeHead(status, { 'content-type': 'application/json' })
    const type = status === 401 ? 'authentication_error' : 'api_error'
    response.end(JSON.stringify({ type: 'error', error: { type, message } }))
  }
}

/** Send again with the certificates of the system when the usual ones do not prove who the model's host is. */
async function sendTrusting<Answer>(sendOnce: () => Promise<Answer>, route: Route): Promise<Answer> {
  try {
    return await sendOnce()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (route.trustsSystem || !/CERT|UNABLE_TO_VERIFY/.test(code)) throw error
    route.trustsSystem = true
    const { upstream } = route
    const ca = [...(upstream.tls.ca ?? []), ...tls.getCACertificates('system')]
    route.agent = createAgent({ ...upstream, tls: { ...upstream.tls, ca } })
    return sendOnce()
  }
}

/** An agent that goes through the user's proxy, as claude does. */
function createAgent({ address, environment, tls: { ca, ...identity } }: Upstream): Agent {
  const options = { keepAlive: true, proxyEnv: environment }
  if (address.protocol === 'http:') return new http.Agent(options)
  return new https.Agent({ ...options, ...identity, ...(ca && { ca: [...tls.rootCertificates, ...ca] }) })
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code, message } = error as NodeJS.ErrnoException
  return toOneLine([code, message].filter(Boolean).join(' '), 200)
}
