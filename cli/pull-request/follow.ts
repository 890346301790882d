import { setTimeout as sleep } from 'node:timers/promises'
import type { AnswerMemory } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { MINUTE_MS } from '#host/time.ts'
import type { Session } from '#session'
import { startBackground } from '../background.ts'
import { retryUntilFree } from '../forge-record.ts'
import { ReportOnce } from '../report-once.ts'
import { findPullRequestPlace, openPullRequest, type PullRequestOptions } from './open.ts'
import { isTemporary } from './passing-failure.ts'
import { pollPullRequest, resumePullRequest } from './poll.ts'
import { findRecordFor, type PullRequestRecord } from './record.ts'

/**
 * Look at the pull request of a session until it is merged or closed or needs a person, or once. It is opened where that was not done, and
 * brought up to date where a person asks for more, unless it is over. Who follows it says with this that dispatch may make new attempts again; one look does not say so, because a timer may run it. Yields the
 * record whenever it has changed.
 */
export async function* followPullRequest(
  config: Config,
  session: Session,
  options: PullRequestOptions & { isOnce: boolean; changesIt: boolean },
): AsyncGenerator<PullRequestRecord> {
  const { say } = options
  const isKnown = findRecordFor(config.home, session) !== undefined
  if (!isKnown || (options.changesIt && !(await isOver(config, session, options))))
    await openPullRequest(config, session, options)
  const record = findRecordFor(config.home, session)
  if (record === undefined) throw new Error(`no record of the pull request of ${session.id}`)
  await startBackground(config) // The daemon starts what the queue has.
  if (!options.isOnce) await retryUntilFree(record, () => resumePullRequest(config, record))
  const memory: AnswerMemory = new Map()
  const said = new ReportOnce()
  for (let told = ''; ; await sleep(MINUTE_MS)) {
    const look = () => pollPullRequest(config, record, { memory, say })
    const looked = await lookPatiently(
      options.isOnce ? retryUntilFree(record, look) : look(),
      options.isOnce,
      said,
      say,
    )
    const current = looked ?? findRecordFor(config.home, session) ?? record
    const text = JSON.stringify(current)
    if (text !== told || options.isOnce) yield current
    told = text
    if (options.isOnce || isFinished(current)) return
  }
}

/** 0 merged, or under way; 5 closed by a person or with commits of another one; 12 where it needs a person for another reason. Pure. */
export function getFollowExitCode({ state, reason, isBlocked }: PullRequestRecord): ExitCode {
  if (state === 'needs you') return isBlocked ? exitCodes.conflict : exitCodes.inconclusive
  return state === 'ended' && reason !== 'merged' ? exitCodes.conflict : exitCodes.ok
}

// --- internal ---

/** Was it merged or closed? Then nothing can be changed, and following it says so, also when the same command is run again. */
async function isOver(config: Config, session: Session, options: PullRequestOptions): Promise<boolean> {
  const { found } = await findPullRequestPlace(config, session, options)
  return found !== undefined && found.state !== 'open'
}

function isFinished({ state }: PullRequestRecord): boolean {
  return state === 'ended' || state === 'needs you'
}

/** What cannot be reached is tried again a minute later; it is said once. */
async function lookPatiently<Result>(
  look: Promise<Result>,
  isOnce: boolean,
  said: ReportOnce,
  say: (line: string) => void,
): Promise<Result | undefined> {
  try {
    const result = await look
    said.succeed('')
    return result
  } catch (error) {
    if (isOnce || !(error instanceof DispatchError && isTemporary(error))) throw error
    if (said.fail('', error.message)) say(`${error.message}. It goes on later.`)
    return undefined
  }
}
