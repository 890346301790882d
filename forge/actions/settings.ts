import { isDenied } from '../errors.ts'
import type { Forge } from '../forge.ts'

/** What a workflow of dispatch needs of its repository. Undefined where the login may not see it. */
export interface ActionsSettings {
  /** The names of its secrets. Their values are shown to no login. */
  secrets: string[] | undefined
  /** May a workflow open pull requests? */
  mayOpenPullRequests: boolean | undefined
}

/** Read the settings of a repository that its workflows depend on. Changes nothing. */
export async function readActionsSettings({ repository, request }: Forge): Promise<ActionsSettings> {
  const secrets = await ifShown(
    request('see the names of the secrets', client =>
      client.paginate(client.rest.actions.listRepoSecrets, { ...repository, per_page: 100 }),
    ),
  )
  const permissions = await ifShown(
    request('see what workflows may do', client =>
      client.rest.actions.getGithubActionsDefaultWorkflowPermissionsRepository(repository),
    ),
  )
  return {
    secrets: secrets?.map(({ name }) => name),
    mayOpenPullRequests: permissions?.data.can_approve_pull_request_reviews,
  }
}

// --- internal ---

async function ifShown<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isDenied(error)) return undefined
    throw error
  }
}
