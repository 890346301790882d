import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { fetchCommit, findTaskRepository } from '#host/git'
import { findSession } from '#session'
import { readStatus } from '../input/session.ts'

/**
 * The commit of the branch on which the work of a session last did not land, brought into the checkout: only as objects, without a
 * branch. Exit 4 if it was never tried.
 */
export async function bringLandingTarget(config: Config, id: string, repo: string | undefined): Promise<string> {
  const session = findSession(config.workspace, id)
  const { landing } = readStatus(session)
  const checkout = await findTaskRepository(repo ?? '.', [config.cloneFolder, config.home])
  if (landing?.target === undefined || checkout === null)
    throw new DispatchError(`session ${session.id} was never tried to land, so its branch is not known`, {
      exitCode: exitCodes.notFound,
      remedy: 'Leave out --base-of.',
    })
  await fetchCommit(session.paths.bareRepository, landing.target, checkout.path)
  return landing.target
}
