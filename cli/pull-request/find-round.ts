import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { withQueue } from '../queue/open.ts'
import { getRoundKey, listPullRequestRecords, type PullRequestRecord, type Round } from './record.ts'

/** An attempt at what came back, with the number of its pull request. */
export interface FoundRound {
  number: PullRequestRecord['number']
  round: Round
}

/**
 * The attempt for which an item of the queue starts a session; undefined for other items. What the record says of where the pull request is
 * does not count: a person may have had the queue try it again. Exit 5 if a newer attempt has taken its place.
 */
export async function findRoundOfItem(config: Config, item: string): Promise<FoundRound | undefined> {
  const key = await withQueue(config, async queue => (await queue.find(item))?.key)
  if (!key?.startsWith(getRoundKey(''))) return undefined
  for (const { number, round } of listPullRequestRecords(config.home))
    if (round !== null && getRoundKey(round.id) === key) return { number, round }
  throw new DispatchError(`a newer attempt at its pull request has taken the place of ${item}`, {
    exitCode: exitCodes.conflict,
    remedy: `Take it out: dispatch queue rm ${item}`,
  })
}
