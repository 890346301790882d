import type { Forge } from '#forge'
import { readFollowedPull, readOwnLogin, writeAnswers } from '#forge/feedback'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { redactAll } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { Item } from '#queue'
import { findWorkToApply } from '#session'
import { listSecretsOf } from '#session/secrets'
import { readView } from '#session/status'
import { readStatus } from '../input/session.ts'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { withQueue } from '../queue/open.ts'
import { renderAnswers } from './answers.ts'
import { enqueueAttempt } from './begin-attempt.ts'
import { findIfPresent, listPreparedCommits, listPushedCommits } from './newest-session.ts'
import { openPullRequest } from './open.ts'
import { isOfThisMachine, isTemporary } from './passing-failure.ts'
import {
  listSessionsOf,
  type PullRequestRecord,
  readPullRequestRecord,
  settleFindings,
  writePullRequestRecord,
} from './record.ts'

/** The item of the last new attempt; undefined without one. */
export async function findAttemptItem(config: Config, { attempt }: PullRequestRecord): Promise<Item | undefined> {
  const id = attempt?.item ?? null
  return id === null ? undefined : withQueue(config, queue => queue.find(id))
}

/** Can an attempt still bring something that was not pushed? Not once its outcome is about how its item is now. Pure. */
export function isUnderWay(
  item: Pick<Item, 'state' | 'since'> | undefined,
  outcome: NonNullable<PullRequestRecord['attempt']>['outcome'],
): boolean {
  if (item === undefined || item.state === 'cancelled' || item.state === 'needs you') return false
  if (outcome === null) return true
  return outcome.commit === null && !(item.state === 'done' && item.since === outcome.itemSince)
}

/**
 * Bring a new attempt forward: put it into the queue if a process died before that; once it has its PASS, push its work onto the branch of
 * the pull request; and note where it does not go on by itself. Nothing is pushed over commits of another person.
 */
export async function advanceAttempt(
  config: Config,
  forge: Forge,
  record: PullRequestRecord,
  say: (line: string) => void,
): Promise<PullRequestRecord> {
  const { attempt } = record
  if (attempt === null) return record
  if (attempt.item === null) return enqueueAttempt(config, record)
  const item = await findAttemptItem(config, record)
  if (item?.state === 'done' && item.sessionId !== null)
    return publishAttempt(config, forge, record, { ...item, sessionId: item.sessionId }, say)
  const isOver = item === undefined || item.state === 'cancelled' || item.state === 'needs you'
  if (!isOver) return record
  const reason = item === undefined ? 'it is not in the queue any more' : `${item.id} ${item.state}: ${item.reason}`
  return loseAttempt(config, record, reason, item)
}

/**
 * Note the outcome of an attempt whose work is on the branch, where a process died between the push and that. It is answered also where it
 * was merged since.
 */
export async function noteOutcome(config: Config, record: PullRequestRecord, tip: string): Promise<PullRequestRecord> {
  const { attempt, branch, sessions, pushed } = record
  const item = await findAttemptItem(config, record)
  if (attempt === null || item?.state !== 'done' || !isUnderWay(item, attempt.outcome)) return record
  const session = item.sessionId === null ? undefined : findIfPresent(config, item.sessionId)
  const commits = session === undefined ? [] : listPreparedCommits(session, branch)
  if (session === undefined || commits.at(-1) !== tip) return record
  const { id } = session
  return writePullRequestRecord(config.home, record, {
    ...{ state: 'answering', reason: '' },
    ...{ sessions: [...sessions.filter(each => each !== id), id], pushed: { ...pushed, [id]: commits } },
    attempt: { ...attempt, outcome: { session: id, commit: tip, reason: '', itemSince: item.since } },
  })
}

/** Answer what an attempt has settled, or why it has not. Each answer is written once, also after a kill. */
export async function answerAttempt(
  config: Config,
  forge: Forge,
  record: PullRequestRecord,
): Promise<PullRequestRecord> {
  const { attempt, number } = record
  if (attempt?.outcome == null) return record
  const { session, commit, reason } = attempt.outcome
  const proved = session === null || commit === null ? undefined : findIfPresent(config, session)
  const matrix = proved && (await readPublishedMatrix(config, await readView(proved)))
  const secrets = listSecretsOf(config, listSessionsOf(record))
  const findings = attempt.findings.map(finding => ({
    ...finding,
    ...redactAll({ title: finding.title, url: finding.url, words: finding.words }, secrets),
  }))
  const answers = renderAnswers(record, findings, { commit, reason: redactAll(reason, secrets), matrix })
  await writeAnswers(forge, number, await readOwnLogin(forge), answers)
  const isSettled = commit !== null
  return writePullRequestRecord(config.home, record, {
    state: isSettled ? 'open' : 'needs you',
    reason: isSettled ? '' : `the new attempt has no PASS: ${reason}`,
    ...(isSettled && settleFindings(record, attempt.findings)),
  })
}

/** Does no later try push an attempt after this error? A command that is at its session for now is waited for. Pure. */
export function needsPersonToPush(error: DispatchError): boolean {
  return !isTemporary(error) && (finalExitCodes.includes(error.exitCode) || isOfThisMachine(error))
}

// --- internal ---

const MAX_REASON_CHARS = 300

async function publishAttempt(
  config: Config,
  forge: Forge,
  record: PullRequestRecord,
  item: Item & { sessionId: string },
  say: (line: string) => void,
): Promise<PullRequestRecord> {
  const { sessionId } = item
  const { base, branch, checkout, author, number } = record
  const session = findIfPresent(config, sessionId)
  if (session === undefined) return loseAttempt(config, record, `its session ${sessionId} was removed`, item)
  try {
    await openPullRequest(config, session, {
      ...{
        base,
        keepsBase: true,
        branch,
        repo: checkout,
        author,
        closes: [],
        isDraft: false,
        labels: [],
        reviewers: [],
      },
      ...{ isAtTerminal: false, replaceable: listPushedCommits(config, record), hasRecord: true, say },
    })
  } catch (error) {
    if (!(error instanceof DispatchError) || !needsPersonToPush(error)) throw error // The next look tries it again.
    const isBlocked = !isOfThisMachine(error)
    const isProved = (await findWorkToApply(session, readStatus(session))).warning === undefined
    if (!isProved) return loseAttempt(config, record, error.message, item)
    const isPushed = (await readFollowedPull(forge, number)).headCommit === listPreparedCommits(session, branch).at(-1)
    const where = isPushed ? 'is pushed, but its pull request is not brought up to date' : 'is not pushed'
    const secrets = listSecretsOf(config, [...listSessionsOf(record), sessionId])
    const reason = toOneLine(
      `the new attempt ${sessionId.slice(-4)} has its PASS, and its work ${where}: ${redactAll(error.message, secrets)}`,
      MAX_REASON_CHARS,
    )
    return writePullRequestRecord(config.home, record, { state: 'needs you', reason, isBlocked })
  }
  const opened = readPullRequestRecord(config.home, record) ?? record
  const commit = readStatus(session).pullRequest?.commit ?? null
  return writePullRequestRecord(config.home, opened, {
    ...{ state: 'answering', reason: '' },
    attempt: record.attempt && {
      ...record.attempt,
      outcome: { session: sessionId, commit, reason: '', itemSince: item.since },
    },
  })
}

/** What no later try changes: another person has pushed, the PASS does not hold any more, the record does not. */
const finalExitCodes: number[] = [exitCodes.conflict, exitCodes.notFound, exitCodes.integrity]

function loseAttempt(
  config: Config,
  record: PullRequestRecord,
  reason: string,
  item: Item | undefined,
): PullRequestRecord {
  const ids = [...listSessionsOf(record), ...(item?.sessionId == null ? [] : [item.sessionId])]
  const text = redactAll(reason, listSecretsOf(config, ids))
  const outcome = {
    session: item?.sessionId ?? null,
    commit: null,
    reason: toOneLine(text, MAX_REASON_CHARS),
    itemSince: item?.since ?? '',
  }
  return writePullRequestRecord(config.home, record, {
    state: 'answering',
    attempt: record.attempt && { ...record.attempt, outcome },
  })
}
