import { readIssue } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { withQueue } from '../queue/open.ts'
import { createClosedError } from './claim.ts'
import { connectRecord } from './connect.ts'
import type { IssueRecord } from './record.ts'
import { findIssueOfItem } from './start.ts'

/**
 * Start nothing for an issue that was closed while its item waited: the item leaves the queue, and its claim is given back by the next round
 * over the issues. Where GitHub does not answer, it starts. Exit 5 for a closed one.
 */
export async function refuseClosedIssue(config: Config, id: string): Promise<void> {
  const item = await withQueue(config, queue => queue.find(id))
  const record = item && findIssueOfItem(config, item)
  if (record === undefined || (await isStillOpen(config, record))) return
  await withQueue(config, queue => queue.cancel(id, 'its issue was closed'))
  throw createClosedError(record)
}

// --- internal ---

async function isStillOpen(config: Config, record: IssueRecord): Promise<boolean> {
  try {
    return (await readIssue(await connectRecord(config, record), record.number)).isOpen
  } catch (error) {
    if (error instanceof DispatchError) return true
    throw error
  }
}
