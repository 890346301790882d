import type { RepositoryAddress } from './address.ts'
import { toForgeError } from './errors.ts'
import type { AnswerMemory } from './etag-cache.ts'
import { type ForgeConfig, type ForgeLogin, findLogin } from './login.ts'
import type { GitHubClient } from './octokit.ts'

/** A repository on GitHub, and a login for it. */
export interface Forge {
  address: RepositoryAddress
  login: ForgeLogin
  /** The name under which an App comments, such as `dispatch[bot]`; undefined for a person. GitHub gives it no role of its own. */
  ownLogin: string | undefined
  /** For every request of REST. */
  repository: { owner: string; repo: string }
  /** Make requests. What fails becomes an error for a person; `action` completes "may not …". */
  request<Result>(action: string, make: (client: GitHubClient) => Promise<Result>): Promise<Result>
}

/**
 * Connect to the repository: find the login, load the client, and look up the installation of an App. Exit 7 without a login. The first
 * request is the first that goes over the network, but for an App. With a memory, GitHub is asked only for what has changed since.
 */
export async function connectForge(
  address: RepositoryAddress,
  config: ForgeConfig,
  onWait?: (seconds: number) => void,
  memory?: AnswerMemory,
): Promise<Forge> {
  const login = await findLogin(address, config)
  const { createClient } = await import('./octokit.ts')
  const repository = { owner: address.owner, repo: address.name }
  const wait = { memory, ...(onWait && { onWait }) }
  const context = { host: address.host, source: login.source }
  const request = async <Result>(action: string, make: () => Promise<Result>): Promise<Result> => {
    try {
      return await make()
    } catch (error) {
      throw toForgeError(error, { ...context, action })
    }
  }
  const { apiUrl } = login
  if (login.kind === 'token') {
    const client = createClient({ apiUrl, auth: { auth: login.token }, ...wait })
    const own = { address, login, ownLogin: undefined, repository }
    return { ...own, request: (action, make) => request(action, () => make(client)) }
  }
  const { createAppStrategy } = await import('./app-login.ts')
  const app = createClient({ apiUrl, auth: createAppStrategy(login) })
  const { data: installation } = await request(`see ${address.owner}/${address.name}`, () =>
    login.installation === ''
      ? app.rest.apps.getRepoInstallation(repository)
      : app.rest.apps.getInstallation({ installation_id: Number(login.installation) }),
  )
  const client = createClient({ apiUrl, auth: createAppStrategy(login, installation.id), ...wait })
  const own = { address, login, ownLogin: `${installation.app_slug}[bot]`, repository }
  return { ...own, request: (action, make) => request(action, () => make(client)) }
}
