import { splitList } from '#host/text.ts'
import { ForgeError, findMissingRights } from './errors.ts'
import type { Forge } from './forge.ts'
import type { GitHubClient } from './octokit.ts'

/** What a login may do in a repository. */
export interface ForgeRights {
  /** Whose login it is: a name, or the App. */
  user: string
  /** Each right that is missing, with what it is for: `repo (to open pull requests)`. */
  missing: string[]
}

/**
 * Find out what the login may do, without changing anything: a classic token lists its scopes, and for any other one GitHub is asked for
 * things that it cannot make, because everything they need is left out. It looks at the right first. Exit 6 where it cannot be reached.
 */
export async function probeRights(forge: Forge): Promise<ForgeRights> {
  const { login, repository } = forge
  const name = `${repository.owner}/${repository.repo}`
  const { data, headers } = await forge.request(`see ${name}`, client => client.rest.repos.get(repository))
  const user = login.kind === 'app' ? `App ${login.appId}` : await readUser(forge)
  const needed = data.private ? 'repo' : 'public_repo'
  const scopes = headers['x-oauth-scopes']
  if (typeof scopes === 'string' && scopes !== '') {
    const has = splitList(scopes)
    const missing = has.includes('repo') || has.includes(needed) ? [] : [`${needed} (to open pull requests)`]
    return { user, missing: [...missing, ...describePush(data.permissions?.push)] }
  }
  const asked = listProbes(repository, login.kind === 'app').map(({ purpose, ask }) =>
    probe(forge, purpose, client => ask(client, data.default_branch)),
  )
  const missing = (await Promise.all(asked)).flat()
  // An App has no role.
  return { user, missing: [...missing, ...describePush(login.kind === 'app' ? true : data.permissions?.push)] }
}

// --- internal ---

/** What each purpose needs: with the permission, reading is answered, and writing is refused for what it lacks. */
function listProbes(repository: Forge['repository'], isApp: boolean): Probe[] {
  // Nothing of what the request needs.
  const empty = repository as never as { owner: string; repo: string } & Record<
    'title' | 'head' | 'base' | 'ref' | 'sha',
    string
  >
  return [
    { purpose: 'to open pull requests', ask: client => client.request('POST /repos/{owner}/{repo}/pulls', empty) },
    { purpose: 'to comment and label', ask: client => client.request('POST /repos/{owner}/{repo}/issues', empty) },
    {
      purpose: 'to merge, and to claim issues',
      ask: client => client.request('POST /repos/{owner}/{repo}/git/refs', empty),
    },
    {
      purpose: 'to see the checks of a commit',
      ask: (client, ref) => askForChecks(client, { ...repository, ref, per_page: 1 }, isApp),
    },
    {
      purpose: 'to see the statuses of a commit',
      ask: (client, ref) => client.rest.repos.listCommitStatusesForRef({ ...repository, ref, per_page: 1 }),
    },
  ]
}

/** A token of a person can have no right to see checks, unless it is a classic one. For that it sees the workflows. */
async function askForChecks(
  client: GitHubClient,
  place: Forge['repository'] & { ref: string; per_page: number },
  isApp: boolean,
): Promise<unknown> {
  try {
    return await client.rest.checks.listForRef(place)
  } catch (error) {
    if (isApp || (error as { status?: number }).status !== 403) throw error
    return client.rest.actions.listWorkflowRunsForRepo(place)
  }
}

interface Probe {
  purpose: string
  ask(client: GitHubClient, branch: string): Promise<unknown>
}

async function probe(
  forge: Forge,
  purpose: string,
  ask: (client: GitHubClient) => Promise<unknown>,
): Promise<string[]> {
  let headers: Parameters<typeof findMissingRights>[0] = {}
  let said: string | undefined
  try {
    await forge.request(purpose, async client => {
      try {
        await ask(client)
      } catch (error) {
        const { status, message, response } = error as { response?: { headers: typeof headers } } & ForgeError
        headers = response?.headers ?? {}
        if (status === 403) said = message
        throw error
      }
    })
  } catch (error) {
    if (!(error instanceof ForgeError) || error.status === undefined) throw error
    if (error.status !== 403 && error.status !== 404) return []
    const rights = findMissingRights(headers, said)
    return [`${rights.length === 0 ? 'a right' : rights.join(' and ')} (${purpose})`]
  }
  return []
}

/** A token of GitHub Actions belongs to no user. */
async function readUser({ login, request }: Forge): Promise<string> {
  try {
    return (await request('see whose login it is', client => client.rest.users.getAuthenticated())).data.login
  } catch (error) {
    if (!(error instanceof ForgeError) || error.status !== 403) throw error
    return login.source
  }
}

function describePush(mayPush: boolean | undefined): string[] {
  return mayPush === false ? ['the role Write (to push branches and to merge)'] : []
}
