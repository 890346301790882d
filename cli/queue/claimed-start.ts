import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { identify } from '#host/process'
import type { Fence } from '#queue'
import { stopSession } from '#runner'
import type { Session } from '#session'
import { withQueue } from './open.ts'

/**
 * Start a session for an item of the queue. This process takes the claim over first, so that the queue does not give the item to
 * another one if the daemon ends meanwhile. Exit 5 if it has done so already: then nothing was started.
 */
export async function launchClaimed(config: Config, claim: Fence, launch: () => Promise<Session>): Promise<Session> {
  const self = await identify(process.pid)
  if (self === undefined || (await withQueue(config, queue => queue.adopt(claim, self))) === 'lost')
    throw createLostError(claim)
  const session = await launch()
  if ((await withQueue(config, queue => queue.start(claim, session.id))) === 'held') return session
  await stopSession(session, config)
  throw createLostError(claim)
}

// --- internal ---

function createLostError({ item }: Fence): DispatchError {
  return new DispatchError(`${item} is no longer to be started by this command`, {
    exitCode: exitCodes.conflict,
    remedy: `Its state: dispatch queue show ${item}`,
  })
}
