import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { fetchCommit, findTaskRepository, type UserRepository } from '#host/git'
import { findSession } from '#session'
import { readBaseBranch } from '#session/landing'
import { readStatus } from '../input/session.ts'
import type { FoundAttempt } from '../pull-request/find-attempt.ts'

/**
 * Where a new attempt begins, brought into the checkout only as objects, without a branch: the commit at which the attempt at what came
 * back to its pull request is to begin, or that of the branch on which the work of the session last did not land. It lands on the branch
 * on which the earlier one was tried, else on that which the earlier one is for. Exit 4 if it was never tried.
 */
export async function bringLandingTarget(
  config: Config,
  id: string,
  repo: string | undefined,
  found: FoundAttempt | undefined,
): Promise<Pick<UserRepository, 'commit' | 'branch'>> {
  const session = findSession(config.workspace, id)
  const { landing } = readStatus(session)
  const target = found?.attempt.startCommit ?? landing?.target
  const checkout = await findTaskRepository(repo ?? '.', [config.cloneFolder, config.home])
  if (target === undefined || checkout === null)
    throw new DispatchError(`session ${session.id} was never tried to land, so its branch is not known`, {
      exitCode: exitCodes.notFound,
      remedy: 'Leave out --base-of.',
    })
  await fetchCommit(session.paths.bareRepository, target, checkout.path)
  const tried = found === undefined ? landing?.branch : undefined
  return { commit: target, branch: tried ?? (await readBaseBranch(session)) }
}
