import { connectForge, ForgeError, findRepositoryAddress, probeRights, type RepositoryAddress } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findRepository } from '#host/git'
import { listRemotes, readFetchAddress, readTransport } from '#host/git/upstream'
import { type DoctorResult, ok, warn } from './result.ts'

/**
 * Is there a login for the repository of this folder, where that is on GitHub? With `online` GitHub is asked what it may do. Nothing where
 * there is neither such a repository nor a token.
 */
export async function checkGitHub(config: Config, online: boolean): Promise<DoctorResult[]> {
  const address = await findAddress(config)
  const hasLogin = config.GITHUB_TOKEN !== '' || config.GITHUB_APP_ID !== ''
  if (address === undefined)
    return hasLogin && online
      ? [ok('github', 'there is a login; run this in a repository whose remote is on GitHub to try it')]
      : []
  try {
    const forge = await connectForge(address, config)
    const name = `${address.host}/${address.owner}/${address.name}`
    if (!online)
      return [
        ok(
          'github',
          `${name}; the login (${forge.login.source}) was not tried (\`dispatch doctor --online\` tries it)`,
        ),
      ]
    const { user, missing } = await probeRights(forge)
    if (missing.length === 0) return [ok('github', `${user} may open pull requests in ${name}`)]
    return [warn('github', `${user} lacks in ${name}: ${missing.join('; ')}`, 'docs/github.md lists what is needed')]
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error instanceof ForgeError && error.exitCode === exitCodes.dependency)
      return [warn('github', `${address.host} cannot be reached, so the login was not tried`, error.remedy)]
    return [warn('github', error.message, error.remedy)]
  }
}

// --- internal ---

/** The first remote of the repository here that is known to be on GitHub: by its host, or by the settings. */
async function findAddress(config: Config): Promise<RepositoryAddress | undefined> {
  const repository = await findRepository(undefined, [config.cloneFolder, config.home]).catch(() => undefined)
  if (!repository) return undefined
  for (const remote of await listRemotes(repository.path)) {
    const address = await readFetchAddress(await readTransport(repository.path, remote))
    const found = await findRepositoryAddress(address)
    if (found && isOnGitHub(found.host, config)) return found
  }
  return undefined
}

function isOnGitHub(host: string, { GITHUB_API_URL }: Config): boolean {
  return host === 'github.com' || host.endsWith('.ghe.com') || URL.parse(GITHUB_API_URL)?.host === host
}
