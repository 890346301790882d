import type { Forge } from '#forge'
import { readOwnLogin, writeAnswers } from '#forge/feedback'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listKnownSecrets, redactAll, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { Item } from '#queue'
import { findSession, findWorkToApply } from '#session'
import { readView } from '#session/status'
import { readStatus } from '../input/session.ts'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { withQueue } from '../queue/open.ts'
import { renderAnswers } from './answers.ts'
import { enqueueRound } from './begin-round.ts'
import { listPushedCommits } from './newest.ts'
import { openPullRequest } from './open.ts'
import { type PullRequestRecord, readPullRequestRecord, settleFindings, writePullRequestRecord } from './record.ts'

/** The item of the last new attempt; undefined without one. */
export async function findRoundItem(config: Config, { round }: PullRequestRecord): Promise<Item | undefined> {
  const id = round?.item ?? null
  return id === null ? undefined : withQueue(config, queue => queue.find(id))
}

/** Can an attempt still bring something that was not pushed? Not once its outcome is about how its item is now. Pure. */
export function isUnderWay(
  item: Pick<Item, 'state' | 'since'> | undefined,
  outcome: NonNullable<PullRequestRecord['round']>['outcome'],
): boolean {
  if (item === undefined || item.state === 'cancelled' || item.state === 'needs you') return false
  if (outcome === null) return true
  return outcome.commit === null && !(item.state === 'done' && item.since === outcome.itemSince)
}

/**
 * Bring a new attempt forward: put it into the queue if a process died before that; once it has its PASS, push its work onto the branch of
 * the pull request; and note where it does not go on by itself. Nothing is pushed over commits of another person.
 */
export async function advanceRound(
  config: Config,
  record: PullRequestRecord,
  say: (line: string) => void,
): Promise<PullRequestRecord> {
  const { round } = record
  if (round === null) return record
  if (round.item === null) return enqueueRound(config, record)
  const item = await findRoundItem(config, record)
  if (item?.state === 'done' && item.sessionId !== null)
    return publishRound(config, record, { ...item, sessionId: item.sessionId }, say)
  const isOver = item === undefined || item.state === 'cancelled' || item.state === 'needs you'
  if (!isOver) return record
  const reason = item === undefined ? 'it is not in the queue any more' : `${item.id} ${item.state}: ${item.reason}`
  return loseRound(config, record, reason, item)
}

/** Answer what an attempt has settled, or why it has not. Each answer is written once, also after a kill. */
export async function answerRound(config: Config, forge: Forge, record: PullRequestRecord): Promise<PullRequestRecord> {
  const { round, number } = record
  if (round?.outcome == null) return record
  const { session, commit, reason } = round.outcome
  const view = session === null || commit === null ? undefined : await readView(findSession(config.workspace, session))
  const matrix = view && (await readPublishedMatrix(config, view))
  const secrets = listKnownSecrets(config)
  const findings = round.findings.map(finding => ({
    ...finding,
    ...redactAll({ title: finding.title, url: finding.url, words: finding.words }, secrets),
  }))
  const answers = renderAnswers(record, findings, { commit, reason: redactAll(reason, secrets), matrix })
  await writeAnswers(forge, number, await readOwnLogin(forge), answers)
  const isSettled = commit !== null
  return writePullRequestRecord(config.home, record, {
    state: isSettled ? 'open' : 'needs you',
    reason: isSettled ? '' : `the new attempt has no PASS: ${reason}`,
    ...(isSettled && settleFindings(record, round.findings)),
  })
}

// --- internal ---

const MAX_REASON_CHARS = 300

async function publishRound(
  config: Config,
  record: PullRequestRecord,
  item: Item & { sessionId: string },
  say: (line: string) => void,
): Promise<PullRequestRecord> {
  const { sessionId } = item
  const { sessions, base, branch, checkout, author } = record
  const closes = sessions.flatMap(id => readClosedIssues(config, id))
  const session = findSession(config.workspace, sessionId)
  try {
    await openPullRequest(config, session, {
      ...{ base, branch, repo: checkout, author, closes, isDraft: false, labels: [], reviewers: [] },
      ...{ isAtTerminal: false, replaceable: listPushedCommits(config, record), say },
    })
  } catch (error) {
    const isRefused = error instanceof DispatchError && finalExitCodes.includes(error.exitCode)
    if (!isRefused) throw error
    const isProved = (await findWorkToApply(session, readStatus(session))).warning === undefined
    if (!isProved) return loseRound(config, record, error.message, item)
    const reason = `the new attempt ${sessionId.slice(-4)} has its PASS, and its work is not pushed: ${error.message}`
    return writePullRequestRecord(config.home, record, { state: 'needs you', reason, isBlocked: true })
  }
  const opened = readPullRequestRecord(config.home, record) ?? record
  const commit = readStatus(session).pullRequest?.commit ?? null
  return writePullRequestRecord(config.home, opened, {
    ...{ state: 'answering', reason: '' },
    round: record.round && {
      ...record.round,
      outcome: { session: sessionId, commit, reason: '', itemSince: item.since },
    },
  })
}

/** What no later try changes: another person has pushed, the PASS does not hold any more, the record does not. */
const finalExitCodes: number[] = [exitCodes.conflict, exitCodes.notFound, exitCodes.integrity]

function loseRound(
  config: Config,
  record: PullRequestRecord,
  reason: string,
  item: Item | undefined,
): PullRequestRecord {
  const { text } = redactSecrets(reason, listKnownSecrets(config))
  const outcome = {
    session: item?.sessionId ?? null,
    commit: null,
    reason: toOneLine(text, MAX_REASON_CHARS),
    itemSince: item?.since ?? '',
  }
  return writePullRequestRecord(config.home, record, {
    state: 'answering',
    round: record.round && { ...record.round, outcome },
  })
}

function readClosedIssues(config: Config, id: string): string[] {
  try {
    return readStatus(findSession(config.workspace, id)).pullRequest?.closes ?? []
  } catch (error) {
    if (error instanceof DispatchError) return []
    throw error
  }
}
