import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { openWaitingServer, type WaitingServer } from '../waiting-server.ts'
import type { ProxyAccess } from './bubblewrap.ts'
import { createProxies } from './proxy-servers.ts'

/** The proxy of one sandbox, the only way out of it. */
interface Proxy extends ProxyAccess, Pick<WaitingServer, 'serve' | 'close'> {}

/**
 * Open the socket of a proxy that lets through what goes to these hosts, and calls `refuse` for every other one. It answers
 * when it is told to serve.
 */
export async function openProxy(
  allowedHosts: string[],
  folder: string,
  refuse: (host: string, port: number) => void,
): Promise<Proxy> {
  const socket = path.join(folder, 'proxy')
  const password = randomBytes(16).toString('hex')
  const server = await openWaitingServer({ path: socket }, () => createProxies(allowedHosts, password, refuse))
  return { socket, password, serve: server.serve, close: server.close }
}
