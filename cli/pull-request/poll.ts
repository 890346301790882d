import { type AnswerMemory, connectForge, type Forge } from '#forge'
import { type FollowedPull, isOver, readFollowedPull, writeStatusPart } from '#forge/feedback'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { redactAll } from '#host/secrets'
import { listSecretsOf } from '#session/secrets'
import { type ForgeKey, withRecord } from '../forge-record.ts'
import { withQueue } from '../queue/open.ts'
import { beginAttempt } from './begin-attempt.ts'
import { advanceAttempt, answerAttempt, findAttemptItem, isUnderWay, noteOutcome } from './end-attempt.ts'
import { isTemporary } from './passing-failure.ts'
import {
  countFailure,
  listSessionsOf,
  MAX_FAILURES,
  type PullRequestRecord,
  readPullRequestRecord,
  writePullRequestRecord,
} from './record.ts'
import { renderStatusWords } from './status-words.ts'

/** What is kept from one look to the next, and where lines go. */
export interface PollOptions {
  memory: AnswerMemory
  say(line: string): void
}

/**
 * Look once at a pull request, and do what has become possible: push what a new attempt has made, answer, begin another attempt. Killed at
 * any moment and run again, it goes on with nothing twice. Undefined while another process does it, or without a record.
 */
export async function pollPullRequest(
  config: Config,
  key: ForgeKey,
  options: PollOptions,
): Promise<PullRequestRecord | undefined> {
  const done = await withRecord(config.home, 'pull-requests', key, async () => {
    const record = readPullRequestRecord(config.home, key)
    if (record === undefined) return undefined
    try {
      const looked = await look(config, record, options)
      const hasWorked = looked.failure === record.failure && looked.state !== 'needs you'
      return hasWorked && looked.failure !== null
        ? writePullRequestRecord(config.home, looked, { failure: null })
        : looked
    } catch (error) {
      const current = readPullRequestRecord(config.home, key) ?? record
      if (error instanceof DispatchError && !isTemporary(error)) {
        const reason = redactAll(error.message, listSecretsOf(config, listSessionsOf(current)))
        countFailure(config.home, current, { reason, isBlocked: false })
      }
      throw error
    }
  })
  return done?.result
}

/**
 * A person says that it is to go on: dispatch may make new attempts again, also where it had stopped. Undefined while another process looks
 * at it: then nothing was changed.
 */
export async function resumePullRequest(config: Config, key: ForgeKey): Promise<true | undefined> {
  const done = await withRecord(config.home, 'pull-requests', key, async () => {
    const record = readPullRequestRecord(config.home, key)
    if (record?.state === 'ended') writePullRequestRecord(config.home, record, { retries: 0 })
    if (record?.state !== 'needs you') return
    const { failure } = record
    const hasFailed = failure !== null && failure.count >= MAX_FAILURES
    const state = hasFailed ? failure.state : await findGoingOn(config, record)
    writePullRequestRecord(config.home, record, { state, reason: '', failure: null, retries: 0 })
  })
  return done && true
}

// --- internal ---

async function look(
  config: Config,
  record: PullRequestRecord,
  { memory, say }: PollOptions,
): Promise<PullRequestRecord> {
  const { host, owner, name, isPlainHttp, number } = record
  const forge = await connectForge({ host, owner, name, isPlainHttp }, config, undefined, memory)
  const pull = await readFollowedPull(forge, number)
  if (isOver(pull)) return end(config, forge, record, pull)
  const { base } = pull // A person may have chosen another one.
  const noted = base === record.base ? record : writePullRequestRecord(config.home, record, { base })
  let current = await takeUp(config, noted.state === 'ended' ? await reopen(config, noted) : noted)
  if (current.state === 'retrying') current = await advanceAttempt(config, forge, current, say)
  if (current.state === 'answering') current = await answerAttempt(config, forge, current)
  else if (current.state === 'open') current = await beginAttempt(config, forge, current, pull)
  const words = renderStatusWords(redactAll(current, listSecretsOf(config, listSessionsOf(current))))
  // Publishing has written another part of the body.
  const { body } = current === record ? pull : await readFollowedPull(forge, number)
  await writeStatusPart(forge, number, body, words)
  return current
}

/** A person may have had the queue try again what needed one. */
async function takeUp(config: Config, record: PullRequestRecord): Promise<PullRequestRecord> {
  // Where its work could not be pushed, it has no outcome. Only a person lets that go on.
  if (record.state !== 'needs you' || record.attempt?.outcome == null) return record
  const goesOn = (await findGoingOn(config, record)) === 'retrying'
  return goesOn ? writePullRequestRecord(config.home, record, { state: 'retrying', reason: '' }) : record
}

/** A person has opened it again on GitHub. */
async function reopen(config: Config, record: PullRequestRecord): Promise<PullRequestRecord> {
  return writePullRequestRecord(config.home, record, { state: await findGoingOn(config, record), reason: '' })
}

/** Where a pull request that did not go on does so: with the attempt that it has, if that has something that was not pushed yet. */
async function findGoingOn(config: Config, record: PullRequestRecord): Promise<'retrying' | 'open'> {
  return isUnderWay(await findAttemptItem(config, record), record.attempt?.outcome ?? null) ? 'retrying' : 'open'
}

/**
 * It was merged or closed: what was pushed is answered, and what has not begun does not begin. A session that works goes on, and is not
 * pushed.
 */
async function end(
  config: Config,
  forge: Forge,
  record: PullRequestRecord,
  { state, headCommit }: FollowedPull,
): Promise<PullRequestRecord> {
  if (record.state === 'ended') return record
  const noted = await noteOutcome(config, record, headCommit)
  const current = noted.state === 'answering' ? await answerAttempt(config, forge, noted) : noted
  const item = await findAttemptItem(config, record)
  if (item?.state === 'waiting' || item?.state === 'needs you')
    await withQueue(config, queue => queue.cancel(item.id, `its pull request was ${state}`))
  return writePullRequestRecord(config.home, current, { state: 'ended', reason: state })
}
