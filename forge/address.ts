import { runProgram } from '#host/exec.ts'
import { SECOND_MS } from '#host/time.ts'

/** A repository on GitHub, by its address. */
export interface RepositoryAddress {
  /** In lower case, with the port if there is one: `github.com`. */
  host: string
  owner: string
  name: string
  /** Is the connection to this host in the clear? */
  isPlainHttp: boolean
}

/**
 * The repository that an address of a remote leads to: `https://example.com/owner/name.git`, `ssh://git@example.com/owner/name`,
 * `git@example.com:owner/name.git`. Undefined for a path and for what has no owner. Pure.
 */
export function parseRepositoryAddress(address: string): RepositoryAddress | undefined {
  const url = /^[a-z+]+:\/\//i.test(address) ? URL.parse(address) : undefined
  const [, scpHost = '', scpPath = ''] = /^(?:[^/@:]+@)?([^/:@[\]]+):(?!\/\/)\/?(.+)$/.exec(address) ?? []
  if (url === null || (url && !/^(https?|ssh|git|git\+ssh):$/.test(url.protocol))) return undefined
  const isWeb = url !== undefined && /^https?:$/.test(url.protocol)
  const host = (url ? (isWeb ? url.host : url.hostname) : scpHost).toLowerCase()
  const path = (url ? url.pathname.slice(1) : scpPath).replace(/\/+$/, '').replace(/\.git$/, '')
  const [owner = '', name = '', ...others] = path.split('/')
  if (host === '' || !OWNER.test(owner) || !NAME.test(name) || others.length > 0) return undefined
  return { host: knownAliases[host] ?? host, owner, name, isPlainHttp: url?.protocol === 'http:' }
}

/** The same, with the real host where the configuration of ssh has another name for it, as for a second account. */
export async function findRepositoryAddress(address: string): Promise<RepositoryAddress | undefined> {
  const parsed = parseRepositoryAddress(address)
  if (parsed === undefined || /^https?:/i.test(address) || parsed.host === 'github.com') return parsed
  const ran = await runProgram('ssh', ['-G', '--', parsed.host], { timeoutMs: 5 * SECOND_MS })
  const real = /^hostname (\S+)$/m.exec(ran.stdout)?.[1]?.toLowerCase() ?? parsed.host
  return { ...parsed, host: knownAliases[real] ?? real }
}

/**
 * The address of the API for a host: the setting, else that of github.com or of a `ghe.com` host, else that of GitHub Enterprise.
 * `isKnown`: may a token that names no host go there? Pure.
 */
export function chooseApiUrl(
  { host, isPlainHttp }: RepositoryAddress,
  setting: string,
): { url: string; isKnown: boolean } {
  const isOnGitHub = host === 'github.com'
  const configured = setting.replace(/\/+$/, '')
  // GitHub Actions sets it to this for every job. That of an Enterprise server says nothing about github.com.
  if (isOnGitHub) return { url: isLoopback(URL.parse(configured)?.host) ? configured : PUBLIC_API, isKnown: true }
  if (configured !== '' && configured !== PUBLIC_API) return { url: configured, isKnown: true }
  if (host.endsWith('.ghe.com')) return { url: `https://api.${host}`, isKnown: true }
  return { url: `${isPlainHttp && isLoopback(host) ? 'http' : 'https'}://${host}/api/v3`, isKnown: false }
}

/** Does a name lead to this machine, with or without a port? */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)
}

// --- internal ---

const PUBLIC_API = 'https://api.github.com'

const OWNER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/
const NAME = /^[A-Za-z0-9._-]{1,100}$/

/** Hosts by which github.com is reached where port 22 is closed. */
const knownAliases: Record<string, string> = { 'ssh.github.com': 'github.com', 'www.github.com': 'github.com' }
