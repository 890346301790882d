import type { Config } from '#host/config'
import type { Transport } from '#host/git/upstream'
import type { Session } from '#session'
import type { LandingStatus } from '#session/landing'
import type { MergedRequest } from './check-merged.ts'
import type { OpenedPullRequest, PublishRequest } from './publish-work.ts'

export { listPrepared } from './prepared.ts'
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

/** Look at what the forge has merged, and record it like a landing. */
export async function checkMerged(session: Session, config: Config, request: MergedRequest): Promise<LandingStatus> {
  const [{ withRunner }, merged] = await Promise.all([import('../runner.ts'), import('./check-merged.ts')])
  return withRunner(session, config, context => merged.checkMerged(context, request))
}

/** Fetch the newest commit of a branch into the repository of a closed session. Exit 6 where the remote cannot be reached. */
export async function fetchNewestCommit(
  session: Session,
  config: Config,
  target: { transport: Transport; branch: string },
): Promise<string> {
  const [{ withRunner }, { fetchTarget }] = await Promise.all([
    import('../runner.ts'),
    import('../landing/fetch-target.ts'),
  ])
  return withRunner(session, config, async context => (await fetchTarget(context, target)).commit)
}
