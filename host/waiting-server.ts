import { once } from 'node:events'
import net from 'node:net'

/** What answers the connections of a server. */
export interface Responder {
  answer(client: net.Socket): void
  close(): Promise<void>
}

/** A server that listens before that which answers is loaded. */
export interface WaitingServer {
  /** Where it listens: a port, or the path of a socket. */
  address: net.AddressInfo | string
  /** Load what answers, and answer the connections that wait. Rejects if that fails; they are closed then. */
  serve(): Promise<void>
  close(): Promise<void>
}

/**
 * Listen now, and load what answers later: to load an HTTP server takes as long as to start a sandbox, so that happens while
 * the program inside starts. It keeps no process alive.
 */
export async function openWaitingServer(
  place: net.ListenOptions,
  load: () => Promise<Responder>,
): Promise<WaitingServer> {
  const { promise: responder, resolve, reject } = Promise.withResolvers<Responder>()
  responder.catch(() => undefined)
  let isServed = false
  const server = net.createServer(client => {
    client.on('error', () => undefined)
    responder.then(({ answer }) => answer(client)).catch(() => client.destroy())
  })
  server.listen(place)
  await once(server, 'listening')
  server.unref()
  return {
    address: server.address() ?? '',
    serve: async () => {
      isServed = true
      try {
        resolve(await load())
      } catch (error) {
        reject(error)
        throw error
      }
    },
    close: async () => {
      server.close()
      if (isServed) await responder.then(({ close }) => close()).catch(() => undefined)
    },
  }
}
