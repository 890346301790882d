import path from 'node:path'
import type { Forge } from '#forge'
import { editComment } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { readStamp } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { listKnownSecrets, redactAll } from '#host/secrets'
import { DAY_MS } from '#host/time.ts'
import type { Item } from '#queue'
import type { Session } from '#session'
import { readView } from '#session/status'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { withQueue } from '../queue/open.ts'
import { SaidOnce } from '../said-once.ts'
import { claimIssue, giveBack } from './claim.ts'
import { renderIssueComment } from './comment-text.ts'
import { connectRecord } from './connect.ts'
import {
  formatIssue,
  getFolder,
  type IssueRecord,
  isHeld,
  listRecords,
  readRecord,
  setAsideDamaged,
  withIssue,
  writeRecord,
} from './record.ts'
import { SessionList } from './session-list.ts'
import { describeStart, ensureStarted, findIssueItem } from './start.ts'

/** What was published about a claim: the state of its work then, and since when its session has been closed. */
interface Published {
  stamp: string
  closedAt: string | undefined
}

/** What is kept from one round over the issues of a home to the next. */
export class IssueMemory extends SaidOnce {
  /** By the claim. */
  readonly published = new Map<string, Published>()
  readonly sessions = new SessionList()
}

/**
 * Bring each claimed issue of this home forward: a claim that was interrupted, one whose item was taken out, and its comment where the
 * work has gone on. GitHub is asked only where there is something to say. What fails is said once, and tried again a minute later. A
 * damaged record is set aside. Returns how many issues are held.
 */
export async function reconcileIssues(
  config: Config,
  memory: IssueMemory,
  say: (line: string) => void,
): Promise<number> {
  for (const name of setAsideDamaged(config.home))
    say(
      `${path.join(getFolder(config.home), name)} is a damaged record of an issue, and was set aside. The comment and the branch of that issue say whether it is claimed.`,
    )
  const held = listRecords(config.home).filter(isHeld)
  for (const { host, owner, name, number } of held) {
    const key = { host, owner, name, number }
    const place = `${host}/${owner}/${name}`
    if (memory.rests(place)) continue
    try {
      await withIssue(config.home, key, async () => {
        const record = readRecord(config.home, key)
        if (record !== undefined && isHeld(record)) await reconcile(config, record, memory, say)
      })
      memory.succeed(place)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      if (memory.fail(place, error.message)) say(`${formatIssue(key)}: ${error.message}. It goes on later.`)
    }
  }
  return held.length
}

// --- internal ---

/** For how long the comment of a session that was closed still follows it. */
const FOLLOW_MS = 7 * DAY_MS

async function reconcile(
  config: Config,
  held: IssueRecord,
  { published, sessions }: IssueMemory,
  say: (line: string) => void,
): Promise<void> {
  let forge: Forge | undefined
  const connect = async () => {
    forge ??= await connectRecord(config, held)
    return forge
  }
  let record = held
  if (record.state === 'claiming') {
    const options = { isContinued: true, takesOver: false }
    record = await claimIssue(config.home, await connect(), record, options)
    say(`${formatIssue(record)}: claimed`)
  }
  const started = await ensureStarted(config, record)
  if (started !== record) say(describeStart(started))
  record = started
  const item = await findIssueItem(config, record)
  if (item?.state === 'cancelled') {
    await giveBack(config.home, await connect(), record, `its item ${item.id} was taken out: ${item.reason}`)
    return say(`${formatIssue(record)}: given back, ${item.id} was taken out`)
  }
  const first = item?.sessionId ?? record.session
  const session = first === null ? undefined : sessions.findNewestAttempt(config.workspace, first)
  if (session !== undefined && session.id !== record.session)
    record = writeRecord(config.home, record, { session: session.id })
  // The comment keeps what it said last: without the session, there is nothing true to say.
  const isStarted = item === undefined ? record.item !== null || record.session !== null : item.state === 'done'
  if (isStarted && session === undefined) return end(config, record, 'its session was removed', say)
  const before = published.get(record.claim)
  if (isOld(before?.closedAt)) return end(config, record, 'its session has ended', say)
  const stamp = `${item?.state} ${item?.reason} ${session?.id} ${session && readStamp(session.paths.events)}`
  if (before?.stamp === stamp) return
  const closedAt = await updateComment(config, record, { item, session }, connect, say)
  published.set(record.claim, { stamp, closedAt })
}

/** Returns since when the session has been closed. */
async function updateComment(
  config: Config,
  record: IssueRecord,
  { item, session }: { item: Item | undefined; session: Session | undefined },
  connect: () => Promise<Forge>,
  say: (line: string) => void,
): Promise<string | undefined> {
  const view = session && (await readView(session))
  const matrix = view?.status.verdict === undefined ? undefined : await readPublishedMatrix(config, view)
  const secrets = listKnownSecrets(config)
  const body = renderIssueComment({
    record,
    item: item && redactAll(item, secrets),
    view: view && { ...view, ...redactAll({ status: view.status, state: view.state }, secrets) },
    matrix,
  })
  const commentHash = sha256(body)
  if (commentHash !== record.commentHash && record.commentId !== null) {
    if (!(await editComment(await connect(), record.commentId, body))) {
      await endLost(config, record, item, say)
      return undefined
    }
    writeRecord(config.home, record, { commentHash })
    say(`${formatIssue(record)}: ${body.split('\n')[1]?.replace(/^.*: /, '') ?? ''}`)
  }
  return view?.status.closed === undefined ? undefined : view.status.lastEventAt
}

function end(config: Config, record: IssueRecord, reason: string, say: (line: string) => void): void {
  writeRecord(config.home, record, { state: 'ended', reason })
  say(`${formatIssue(record)}: no longer followed, ${reason}`)
}

/** Its comment is gone: another machine has taken it over, or a person has ended it on GitHub. What runs is left to its person. */
async function endLost(config: Config, record: IssueRecord, item: Item | undefined, say: (line: string) => void) {
  const reason = 'its comment was deleted on GitHub'
  if (item?.state === 'waiting' || item?.state === 'needs you')
    await withQueue(config, queue => queue.cancel(item.id, reason))
  writeRecord(config.home, record, { state: 'lost', reason })
  say(`${formatIssue(record)}: no longer claimed, ${reason}`)
}

function isOld(closedAt: string | undefined): boolean {
  return closedAt !== undefined && Date.parse(closedAt) < Date.now() - FOLLOW_MS
}
