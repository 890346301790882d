import type { Responder } from '../waiting-server.ts'
import { type DirectLookup, loadProxies } from './library.ts'

/**
 * The proxies of the library for HTTP and SOCKS, put together as its manager does for a strict list of allowed hosts: a host
 * is compared as it will be dialed, and a name on the list that leads to an address of this machine or of a private network
 * is refused too.
 */
export async function createProxies(
  allowedHosts: string[],
  password: string,
  refuse: (host: string, port: number) => void,
): Promise<Responder> {
  const library = await loadProxies()
  const guard = library.createResolvedAddressGuard({ allowedDomains: allowedHosts, deniedDomains: [] })
  const lookupFor: DirectLookup = port => (name, options, callback) =>
    guard.lookupFor(port)(name, options, (error, address, family) => {
      if (library.isResolvedAddressDenied(error)) refuse(name, port)
      callback(error, address, family)
    })
  const filter = (port: number, host: string) => {
    const canonical = library.canonicalizeHost(host) ?? host
    const isAllowed =
      library.isValidHost(host) &&
      allowedHosts.some(allowed => library.matchesDomainPatternWithPort(canonical, port, allowed))
    if (!isAllowed) refuse(host, port)
    return isAllowed
  }
  const parentProxy = library.resolveParentProxy()
  const shared = { proxyAuthToken: password, lookupFor, ...(parentProxy && { parentProxy }) }
  const httpServer = library.createHttpProxyServer({
    ...shared,
    filter: (port, host, _socket, _command, explain) => {
      const isAllowed = filter(port, host)
      if (!isAllowed) explain?.('host is not on the allow list')
      return isAllowed
    },
  })
  const socksServer = library.createSocksProxyServer({ ...shared, filter })
  const mux = library.createMuxProxyServer({
    httpServer,
    handleSocksConnection: client => socksServer.handleConnection(client),
  })
  await mux.listenHttpBackend()
  mux.unref()
  return {
    answer: client => void mux.server.emit('connection', client),
    close: async () => {
      httpServer.closeAllConnections()
      await Promise.all([mux.close(), socksServer.close()])
    },
  }
}
