/**
 * sandbox-runtime in three parts. Each is loaded when it is needed, because together they take longer to load than everything
 * else in the start of a sandbox (docs/decisions/0042).
 */
export type { DirectLookup } from '@anthropic-ai/sandbox-runtime/dist/sandbox/parent-proxy.js'

/** What makes the command line of bubblewrap. */
export function loadCommandLine() {
  return import('@anthropic-ai/sandbox-runtime/dist/sandbox/linux-sandbox-utils.js')
}

/** The proxies, and how they compare hosts. */
export async function loadProxies() {
  const [http, socks, mux, domains, addresses, hosts] = await Promise.all([
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/http-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/socks-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/mux-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/domain-pattern.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/resolved-address-guard.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/parent-proxy.js'),
  ])
  return { ...http, ...socks, ...mux, ...domains, ...addresses, ...hosts }
}

/** All of it, for macOS. */
export async function loadRuntime() {
  const { ['SandboxManager']: runtime } = await import('@anthropic-ai/sandbox-runtime')
  return runtime
}
