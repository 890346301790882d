import { readPullRequest } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { describeRemote } from '#host/git/upstream'
import { stopSession } from '#runner'
import { checkMerged, listPrepared } from '#runner/pull-request/index.ts'
import type { Session } from '#session'
import type { LandingAuthor, LandingMethod, LandingStatus } from '#session/landing'
import { readView } from '#session/status'
import { retryUntilFree } from '../forge-record.ts'
import type { LandingResult } from '../landing/land.ts'
import { findProjectOf } from '../landing/land-one.ts'
import { toDispatchError } from '../to-dispatch-error.ts'
import { findNewest } from './newest-session.ts'
import { findPullRequestPlace, openPullRequest } from './open.ts'
import { pollPullRequest } from './poll.ts'
import {
  findRecordOf,
  type PullRequestRecord,
  readPullRequestRecord,
  withPullRequest,
  writePullRequestRecord,
} from './record.ts'
import { waitUntilMerged } from './wait-until-merged.ts'

/** What a person asked for with `dispatch land --pull-request`. */
export interface PullRequestLandingOptions {
  into: string | undefined
  repo: string | undefined
  method: LandingMethod
  author: LandingAuthor
  /** Merge also where no check is reported. */
  allowsNoChecks: boolean
  isAtTerminal: boolean
  say(text: string): void
}

/** Land sessions by their pull requests, one after the other. One that does not land keeps no other. */
export async function* landByPullRequest(
  config: Config,
  sessions: Session[],
  options: PullRequestLandingOptions,
): AsyncGenerator<LandingResult> {
  for (const named of sessions) {
    const session = findNewest(config, named)
    if (sessions.length > 1 || session !== named) options.say(session.id)
    try {
      yield { session, landing: await landOne(config, session, options) }
    } catch (thrown) {
      yield { session, error: toDispatchError(thrown) }
    }
  }
}

/**
 * End the record of a pull request that was merged, as it is once no other process is at it. A last look answers what was pushed, and ends
 * what has not begun. Where GitHub does not answer, another look does that later.
 */
export async function endRecord(config: Config, record: PullRequestRecord, say: (text: string) => void): Promise<void> {
  try {
    const isWaiting = await withPullRequest(config.home, record, () => {
      const current = readPullRequestRecord(config.home, record) ?? record
      if (current.state === 'retrying' || current.state === 'answering') return true
      writePullRequestRecord(config.home, current, { state: 'ended', reason: 'merged' })
      return false
    })
    if (isWaiting) await retryUntilFree(record, () => pollPullRequest(config, record, { memory: new Map(), say }))
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    say(
      `${error.message}. What came back to the pull request is answered later: dispatch pr ${record.sessions.at(-1)?.slice(-4)} --once`,
    )
  }
}

// --- internal ---

/**
 * Open the pull request, wait for what it needs, have exactly the judged commit merged, and look at what is on the branch then. Killed
 * at any moment and run again, it goes on: what is merged already is looked at, and nothing is merged twice.
 */
async function landOne(config: Config, session: Session, options: PullRequestLandingOptions): Promise<LandingStatus> {
  const wish = { base: options.into, branch: undefined, repo: options.repo, say: options.say }
  const place = await findPullRequestPlace(config, session, wish)
  const isMerged = place.found?.state === 'merged'
  if (isMerged) await stopSession(session, config)
  else {
    const { author, isAtTerminal } = options
    await openPullRequest(config, session, {
      ...{ ...wish, author, isAtTerminal, isDraft: false, labels: [], reviewers: [], closes: [] },
    })
  }
  const number = place.found?.number ?? (await readView(session)).status.pullRequest?.number
  // It may have been merged before it was recorded that it is open. What was pushed for it was recorded before.
  const commit = (await readView(session)).status.pullRequest?.commit ?? listPrepared(session).at(-1)?.commit
  if (number === undefined || commit === undefined)
    throw new DispatchError(`pull request ${number ?? ''} of session ${session.id} is not in its log`, {
      exitCode: exitCodes.conflict,
      remedy: 'It was not opened by this session, so it is not known which commit is the judged one.',
    })
  const pullRequest = place.found ?? (await readPullRequest(place.forge, number))
  options.say(`Pull request ${number}: ${pullRequest.url}`)
  const judged = { commit, letters: session.id.slice(-4) }
  const { merged, base } = await waitUntilMerged(place.forge, pullRequest, judged, options)
  const record = findRecordOf(config.home, session.id)
  if (record !== undefined) await endRecord(config, record, options.say)
  const { checkout, transport } = place
  const ownGates = (await findProjectOf(config, checkout))?.gates ?? []
  const remote = await describeRemote(transport)
  return checkMerged(session, config, {
    ...{
      checkout,
      transport,
      remote,
      ownGates,
      branch: base,
      method: options.method,
      commit: merged,
      say: options.say,
    },
  })
}
