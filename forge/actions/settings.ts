import { isDenied } from '../errors.ts'
import type { Forge } from '../forge.ts'

/** What a workflow of dispatch needs of its repository. Undefined where the login may not see it. */
export interface ActionsSettings {
  /** The names of its secrets. Their values are shown to no login. */
  secrets: string[] | undefined
  /** The same of those that its organization gives it; none where a person owns it. */
  organizationSecrets: string[] | undefined
  /** May a workflow open pull requests? */
  mayOpenPullRequests: boolean | undefined
}

/** Read the settings of a repository that its workflows depend on. Changes nothing. */
export async function readActionsSettings({ repository, request }: Forge): Promise<ActionsSettings> {
  const place = { ...repository, per_page: 100 }
  const secrets = await ignoreForbidden(
    request('see the names of the secrets', client => client.paginate(client.rest.actions.listRepoSecrets, place)),
  )
  const { data } = await request('read the repository', client => client.rest.repos.get(repository))
  const ofOrganization =
    data.owner.type !== 'Organization'
      ? []
      : await ignoreForbidden(
          request('see the names of the secrets of the organization', client =>
            client.paginate(client.rest.actions.listRepoOrganizationSecrets, place),
          ),
        )
  const permissions = await ignoreForbidden(
    request('see what workflows may do', client =>
      client.rest.actions.getGithubActionsDefaultWorkflowPermissionsRepository(repository),
    ),
  )
  return {
    secrets: secrets?.map(({ name }) => name),
    organizationSecrets: ofOrganization?.map(({ name }) => name),
    mayOpenPullRequests: permissions?.data.can_approve_pull_request_reviews,
  }
}

// --- internal ---

async function ignoreForbidden<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isDenied(error)) return undefined
    throw error
  }
}
