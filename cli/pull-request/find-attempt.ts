import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { withQueue } from '../queue/open.ts'
import { type Attempt, getAttemptKey, listPullRequestRecords, type PullRequestRecord } from './record.ts'

/** An attempt at what came back, with the number of its pull request. */
export interface FoundAttempt {
  number: PullRequestRecord['number']
  attempt: Attempt
}

/**
 * The attempt for which an item of the queue starts a session; undefined for other items. What the record says of where the pull request is
 * does not count: a person may have had the queue try it again. Exit 5 if a newer attempt has taken its place.
 */
export async function findAttemptOfItem(config: Config, item: string): Promise<FoundAttempt | undefined> {
  const key = await withQueue(config, async queue => (await queue.find(item))?.key)
  if (!key?.startsWith(getAttemptKey(''))) return undefined
  for (const { number, attempt } of listPullRequestRecords(config.home))
    if (attempt !== null && getAttemptKey(attempt.id) === key) return { number, attempt }
  throw new DispatchError(`a newer attempt at its pull request has taken the place of ${item}`, {
    exitCode: exitCodes.conflict,
    remedy: `Take it out: dispatch queue rm ${item}`,
  })
}
