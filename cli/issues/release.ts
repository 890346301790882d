import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { wakeQueue } from '#queue'
import { isSessionOpen } from '#runner'
import { findSession } from '#session'
import { withQueue } from '../queue/open.ts'
import { giveBack } from './claim.ts'
import { connectRecord } from './connect.ts'
import { formatIssue, type IssueKey, readRecord, withIssue } from './record.ts'
import { findIssueItem } from './start.ts'

/**
 * Give an issue back that this home has claimed: its item leaves the queue, its branch and its comment are deleted. Returns what was
 * left on GitHub. That works too once its session has ended, or the claim was lost. Exit 4 if there is no claim, 5 while its session works.
 */
export async function releaseIssue(config: Config, key: IssueKey): Promise<string[]> {
  const done = await withIssue(config.home, key, async () => {
    const record = readRecord(config.home, key)
    if (record === undefined || record.state === 'given back')
      throw new DispatchError(`this machine has no claim of ${formatIssue(key)}`, {
        exitCode: exitCodes.notFound,
        remedy: 'To see those it has: dispatch issues',
      })
    const item = await findIssueItem(config, record)
    await refuseRunning(config, item?.sessionId ?? record.session)
    if (item !== undefined) await withQueue(config, queue => queue.cancel(item.id, 'its issue was given back'))
    wakeQueue(config.home)
    return giveBack(config.home, await connectRecord(config, record), record, 'you gave it back')
  })
  if (done !== undefined) return done.result
  throw new DispatchError(`another command of this machine works on ${formatIssue(key)} now`, {
    exitCode: exitCodes.conflict,
    remedy: 'Wait for it, then run the same command again.',
  })
}

// --- internal ---

async function refuseRunning(config: Config, id: string | null): Promise<void> {
  if (id === null) return
  try {
    if (!(await isSessionOpen(findSession(config.workspace, id), config))) return
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.notFound) return
    throw error
  }
  throw new DispatchError(`session ${id} works on it`, {
    exitCode: exitCodes.conflict,
    remedy: `Stop it first: dispatch stop ${id.slice(-4)}`,
  })
}
