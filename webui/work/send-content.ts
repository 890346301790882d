import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Content } from './work-request.ts'

/** A signal that aborts when the browser goes away before it has the whole answer. */
export function watchClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}

/** Send content as it is read: 304 if the browser has it, and only the headers for HEAD. A reader that goes away ends it. */
export async function sendContent(
  { method }: IncomingMessage,
  response: ServerResponse,
  { headers, stream, close }: Content,
): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (stream === undefined || method === 'HEAD') {
    response.statusCode = stream === undefined ? 304 : 200
    response.end()
    await close()
    return
  }
  try {
    await pipeline(stream, response)
  } catch {
    response.destroy() // The headers are sent, so only a connection that ends early can tell that this is not the whole file.
  } finally {
    await close()
  }
}
