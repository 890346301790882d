import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import type { ProxyAccess } from './bubblewrap.ts'
import { createProxies, type ProxyServers } from './proxy-servers.ts'

/** The proxy of one sandbox, the only way out of it. */
interface Proxy extends ProxyAccess {
  /** Load what answers. Until then connections wait. */
  serve(): Promise<void>
  close(): Promise<void>
}

/**
 * Open the socket of a proxy that lets through what goes to these hosts, and calls `refuse` for every other one. To load what
 * answers takes as long as to start the sandbox, so that happens afterwards, while the program inside starts.
 */
export async function openProxy(
  allowedHosts: string[],
  folder: string,
  refuse: (host: string, port: number) => void,
): Promise<Proxy> {
  const socket = path.join(folder, 'proxy')
  const password = randomBytes(16).toString('hex')
  const { promise: proxies, resolve, reject } = Promise.withResolvers<ProxyServers>()
  proxies.catch(() => undefined)
  let isServed = false
  const server = net.createServer(client => {
    client.on('error', () => undefined)
    proxies.then(({ answer }) => answer(client)).catch(() => client.destroy())
  })
  server.listen(socket)
  await once(server, 'listening')
  server.unref()
  return {
    socket,
    password,
    serve: async () => {
      isServed = true
      try {
        resolve(await createProxies(allowedHosts, password, refuse))
      } catch (error) {
        reject(error)
        throw error
      }
    },
    close: async () => {
      server.close()
      if (isServed) await proxies.then(({ close }) => close()).catch(() => undefined)
    },
  }
}
