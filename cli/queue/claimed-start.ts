import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { identify } from '#host/process'
import type { Fence } from '#queue'
import { stopSession } from '#runner'
import type { Session } from '#session'
import { withQueue } from './open.ts'

/**
 * Start a session for an item of the queue. This process takes the claim over first, so that the queue does not give the item to
 * another one if the daemon ends meanwhile. Exit 5 if it has done so already, or if this is not the whole task: then nothing was started.
 */
export async function launchClaimed(
  config: Config,
  claim: Fence,
  task: Buffer,
  launch: () => Promise<Session>,
): Promise<Session> {
  if (!(await adoptClaim(config, claim, task))) throw createLostError(claim)
  const session = await launch()
  if ((await withQueue(config, queue => queue.start(claim, session.id))) === 'held') return session
  await stopSession(session, config)
  throw createLostError(claim)
}

// --- internal ---

/** A task of which only the beginning has arrived is not adopted: the daemon that was sending it was killed. */
async function adoptClaim(config: Config, claim: Fence, task: Buffer): Promise<boolean> {
  const self = await identify(process.pid)
  if (self === undefined) return false
  return withQueue(config, async queue => {
    const item = await queue.find(claim.item)
    return item?.task.equals(task) === true && (await queue.adopt(claim, self)) === 'held'
  })
}

function createLostError({ item }: Fence): DispatchError {
  return new DispatchError(`${item} is no longer to be started by this command`, {
    exitCode: exitCodes.conflict,
    remedy: `Its state: dispatch queue show ${item}`,
  })
}
