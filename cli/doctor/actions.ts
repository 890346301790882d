import path from 'node:path'
import { connectForge, type RepositoryAddress } from '#forge'
import { type ActionsSettings, readActionsSettings } from '#forge/actions'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { findRepository } from '#host/git'
import { formatNames } from '#host/text.ts'
import { findAddress } from '../actions/actions.ts'
import { isOwnWorkflow, workflowFile } from '../actions/workflow.ts'
import { workflowSecrets } from '../output/actions-view.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/**
 * Does the repository here have what its workflow of dispatch needs? With `online` GitHub is asked, as far as the login may see it.
 * Nothing without that workflow.
 */
export async function checkActions(config: Config, online: boolean): Promise<DoctorResult[]> {
  const repository = await findRepository(undefined, [config.cloneFolder, config.home]).catch(() => undefined)
  const text = repository ? readIfPresent(path.join(repository.path, workflowFile)) : undefined
  if (!repository || text === undefined) return []
  const written = isOwnWorkflow(text) ? '' : '; it was changed since dispatch wrote it'
  const address = await findAddress(repository.path)
  if (!online || address === undefined)
    return [ok('actions', `${workflowFile} is there${written} (\`dispatch doctor --online\` asks what it needs)`)]
  try {
    const settings = await readActionsSettings(await connectForge(address, config))
    return [judgeSettings(settings, address, written)]
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [warn('actions', error.message, error.remedy)]
  }
}

// --- internal ---

/** What is missing for certain comes first; then what this login cannot know. */
function judgeSettings(settings: ActionsSettings, { owner, name }: RepositoryAddress, written: string): DoctorResult {
  const place = `${owner}/${name}`
  const { secrets, organizationSecrets, mayOpenPullRequests } = settings
  const absent = workflowSecrets.filter(each => ![...(secrets ?? []), ...(organizationSecrets ?? [])].includes(each))
  const missing = secrets === undefined || organizationSecrets === undefined ? [] : absent
  const lacks = [
    ...(missing.length > 0 ? [`the secret ${formatNames(missing)}`] : []),
    ...(mayOpenPullRequests === false ? ['the right of workflows to open pull requests'] : []),
  ]
  const fixes = [
    ...missing.map(each => `gh secret set ${each} --repo ${place}`),
    ...(mayOpenPullRequests === false
      ? [`gh api -X PUT repos/${place}/actions/permissions/workflow -F can_approve_pull_request_reviews=true`]
      : []),
  ]
  if (lacks.length > 0) return warn('actions', `${place} lacks ${lacks.join(', and ')}${written}`, fixes.join('; '))
  const hidden = secrets === undefined ? `the names of the secrets of ${place}` : `the secrets that ${owner} gives it`
  if (absent.length > 0)
    return warn(
      'actions',
      `not known whether ${place} has the secret ${formatNames(absent)}: this login may not see ${hidden}${written}`,
      `An administrator sees it: gh secret list ${secrets === undefined ? `--repo ${place}` : `--org ${owner}`}`,
    )
  if (mayOpenPullRequests !== undefined) return ok('actions', `${place} has what ${workflowFile} needs${written}`)
  return warn(
    'actions',
    `this login may not see what workflows may do in ${place}${written}`,
    `An administrator sees it: gh api repos/${place}/actions/permissions/workflow`,
  )
}
