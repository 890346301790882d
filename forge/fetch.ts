import type { IncomingMessage } from 'node:http'
import { pickVariables } from '#host/config'
import { http, https } from '#host/http.ts'
import { SECOND_MS } from '#host/time.ts'

/** How long one request may take, with its answer. */
const REQUEST_TIMEOUT_MS = 30 * SECOND_MS

/**
 * The `fetch` of the client: through the user's proxy, with a time limit, and no further than the server that it was sent to. Node's own
 * fetch knows a proxy only if the process was started with it. With `redirect: 'manual'`, a 302 is the answer.
 */
export async function fetchThroughProxy(address: string, init: RequestInit = {}): Promise<Response> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
  let url = new URL(address)
  let { method = 'GET', body } = init
  for (let hops = 0; ; hops++) {
    const response = await send(url, { ...init, method, body: body ?? null }, signal)
    const next = init.redirect === 'manual' && response.statusCode === 302 ? undefined : followRedirect(response, url)
    if (next === undefined || hops === MAX_REDIRECTS) return readResponse(response, url)
    response.resume()
    url = next
    // A renamed repository answers 301 to a GET, and 307 or 308 to all else, which is then sent again as it is.
    if (response.statusCode === 303) [method, body] = ['GET', null]
  }
}

/**
 * The end of a text that lies on any server, through the user's proxy and within the same time. The request has no token. Fails where the
 * server refuses, and where the text has more than 64 MiB.
 */
export async function downloadTail(url: URL, maxBytes: number): Promise<string> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
  const response = await send(url, { headers: {} }, signal)
  if (response.statusCode !== 200) {
    response.resume()
    throw new Error(`${url.host} answers ${response.statusCode}`)
  }
  let tail = Buffer.alloc(0)
  await readChunks(response, chunk => {
    tail = Buffer.concat([tail, chunk])
    if (tail.length > 2 * maxBytes) tail = tail.subarray(-maxBytes)
  })
  return tail.subarray(-maxBytes).toString('utf8')
}

// --- internal ---

const MAX_REDIRECTS = 5
const MAX_RESPONSE_BYTES = 64 << 20
const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']

function send(url: URL, { method, headers, body }: RequestInit, signal: AbortSignal): Promise<IncomingMessage> {
  const [{ Agent }, request] = url.protocol === 'https:' ? [https, https.request] : [http, http.request]
  const agent = new Agent({ proxyEnv: pickVariables(proxyNames) })
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: method ?? 'GET', headers: headers as Record<string, string>, agent, signal })
    sent.once('response', resolve)
    sent.once('error', error => reject(signal.aborted ? createTimeoutError() : error))
    sent.end(typeof body === 'string' ? body : undefined)
  })
}

/** The next address on the same server; undefined where there is no such address. The token never goes to another one. */
function followRedirect({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined
  const to = URL.parse(headers.location, from.href)
  return to?.origin === from.origin ? to : undefined
}

async function readResponse(message: IncomingMessage, { href }: URL): Promise<Response> {
  const chunks: Buffer[] = []
  await readChunks(message, chunk => chunks.push(chunk))
  const { statusCode: status = 500, statusMessage: statusText = '' } = message
  const headers = Object.entries(message.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const isEmpty = status === 204 || status === 205 || status === 304
  const response = new Response(isEmpty ? null : Buffer.concat(chunks), { status, statusText, headers })
  return Object.defineProperty(response, 'url', { value: href }) // The client looks at it to find the next page.
}

async function readChunks(message: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_RESPONSE_BYTES) throw new Error('the answer is too long')
    take(chunk)
  }
}

function createTimeoutError(): Error {
  return new Error(`no answer within ${REQUEST_TIMEOUT_MS / SECOND_MS} s`)
}
