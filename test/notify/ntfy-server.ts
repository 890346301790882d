import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A publish as the server got it. */
export interface PublishedRequest {
  method: string
  /** Without what is asked behind the `?`. */
  path: string
  query: URLSearchParams
  headers: http.IncomingHttpHeaders
  body: string
  at: number
}

/**
 * How the server answers: as ntfy does, with a refusal, with somebody else's page, or not at all. `drop` takes the message
 * and breaks off before it says so.
 */
export type ResponseMode =
  | 'ntfy'
  | 'never'
  | 'headers only'
  | 'portal'
  | 'drop'
  | { status: number; retryAfter?: string; location?: string }
  | { after: number }

/** A message that the server keeps. */
interface KeptMessage {
  id: string
  time: number
  event: 'message'
  sequence_id?: string
  message: string
}

/** A real HTTP server on loopback that speaks ntfy's protocol: publish, and fetch what is kept. It remembers what it got. */
export async function startNtfyServer(
  manner: ResponseMode | ((published: PublishedRequest) => ResponseMode),
  port = 0,
) {
  const got: PublishedRequest[] = []
  const kept: KeptMessage[] = []
  const server = http.createServer(async (request, response) => {
    const { method = '', headers } = request
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://ntfy')
    if (method === 'GET') return poll(response, query, kept)
    const published = { method, path, query, headers, body: await text(request), at: performance.now() }
    got.push(published)
    answer(response, typeof manner === 'function' ? manner(published) : manner, () => keep(published, kept))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, server, got, kept, stop }
}

/** What a phone shows: each sequence once where app and server know sequences, else every message. */
export function listShown(kept: KeptMessage[], knowsSequences: boolean): string[] {
  if (!knowsSequences) return kept.map(({ message }) => message)
  return [...new Map(kept.map(({ id, sequence_id, message }) => [sequence_id ?? id, message])).values()]
}

function keep({ query, body }: PublishedRequest, kept: KeptMessage[]): KeptMessage {
  const sequence = query.get('sequence-id')
  const named = sequence === null ? {} : { sequence_id: sequence }
  const id = Math.random().toString(36).slice(2, 14).padEnd(12, 'x')
  const message: KeptMessage = { id, time: Math.floor(Date.now() / 1000), event: 'message', ...named, message: body }
  kept.push(message)
  return message
}

/** As ntfy reads it: `since` a message means those after it, `id` means that one. */
function poll(response: http.ServerResponse, query: URLSearchParams, kept: KeptMessage[]): void {
  const after = kept.findIndex(({ id }) => id === query.get('since')) + 1
  const found = kept.slice(after).filter(({ id }) => query.get('id') === null || id === query.get('id'))
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.end(found.map(message => `${JSON.stringify(message)}\n`).join(''))
}

function answer(response: http.ServerResponse, manner: ResponseMode, keepIt: () => KeptMessage): void {
  if (manner === 'never') return
  if (manner === 'headers only') {
    keepIt()
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
    response.flushHeaders()
  } else if (manner === 'drop') {
    keepIt()
    response.destroy()
  } else if (manner === 'portal') {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<html>Please accept our terms, secret-topic-9f3a</html>')
  } else if (manner === 'ntfy') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(keepIt()))
  } else if ('after' in manner) {
    const kept = JSON.stringify(keepIt())
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(kept), manner.after).unref()
  } else {
    const again = manner.retryAfter === undefined ? {} : { 'retry-after': manner.retryAfter }
    const elsewhere = manner.location === undefined ? {} : { location: manner.location }
    response
      .writeHead(manner.status, { ...again, ...elsewhere })
      .end(JSON.stringify({ code: manner.status * 100 + 1, http: manner.status, error: 'refused' }))
  }
}
