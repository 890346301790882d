import type { Config } from '#host/config'
import type { Session } from '#session'
import type { OpenedPullRequest, PublishRequest } from './publish-work.ts'

export { createUnprovedError } from './unproved.ts'

/** Push the work of a closed session as a branch, and have a pull request opened. Exit 5 without a valid PASS, unless it may be unproved. */
export async function publishWork(
  session: Session,
  config: Config,
  request: PublishRequest,
): Promise<OpenedPullRequest> {
  const [{ withRunner }, work] = await Promise.all([import('../runner.ts'), import('./publish-work.ts')])
  return withRunner(session, config, context => work.publishWork(context, request))
}
