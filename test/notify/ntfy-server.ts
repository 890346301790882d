import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A publish as the server got it. */
export interface Published {
  method: string
  path: string
  headers: http.IncomingHttpHeaders
  body: string
}

/** How the server answers: as ntfy does, with a refusal, with somebody else's page, or not at all. */
export type Manner = 'ntfy' | 'never' | 'headers only' | 'portal' | { status: number; retryAfter?: string }

/** A real HTTP server on loopback that speaks ntfy's publish protocol and keeps what it got. */
export async function startNtfy(manner: Manner) {
  const got: Published[] = []
  const server = http.createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    got.push({ method, path, headers, body: await text(request) })
    answer(response, manner)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, got, stop }
}

function answer(response: http.ServerResponse, manner: Manner): void {
  if (manner === 'never') return
  if (manner === 'headers only') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' })
    response.flushHeaders()
  } else if (manner === 'portal') {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<html>Please accept our terms, secret-topic-9f3a</html>')
  } else if (manner === 'ntfy') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ id: 'sPs71M8A2T', time: 1_790_000_000, event: 'message' }))
  } else {
    const again = manner.retryAfter === undefined ? {} : { 'retry-after': manner.retryAfter }
    response.writeHead(manner.status, again).end(JSON.stringify({ code: manner.status * 100 + 1 }))
  }
}
