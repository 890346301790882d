import path from 'node:path'
import type { Forge } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readStamp } from '#host/fs'
import { DAY_MS } from '#host/time.ts'
import type { Item } from '#queue'
import type { Session } from '#session'
import { ReportOnce } from '../report-once.ts'
import { claimIssue, giveBack } from './claim.ts'
import { connectRecord } from './connect.ts'
import {
  formatIssue,
  getFolder,
  type IssueRecord,
  isHeld,
  listRecords,
  readRecord,
  readRecords,
  withIssue,
  writeRecord,
} from './record.ts'
import { SessionList } from './session-list.ts'
import { describeStart, enqueueAgain, ensureStarted, findIssueItem } from './start.ts'
import { updateComment } from './update-comment.ts'

/** What was published about a claim: the state of its work then, and since when its session has been closed. */
interface Published {
  stamp: string
  closedAt: string | undefined
}

/** What is kept from one round over the issues of a home to the next. */
export class IssueMemory extends ReportOnce {
  /** By the claim. */
  readonly published = new Map<string, Published>()
  /** The issues that could not be brought forward the last time. */
  readonly failing = new Set<string>()
  /** The new ids of items that were lost with their queue, by the old ones. */
  readonly enqueuedAgain = new Map<string, string>()
  readonly sessions = new SessionList()
}

/**
 * Bring each claimed issue of this home forward: a claim that was interrupted, one whose item was taken out, and its comment where the
 * work has gone on. GitHub is asked only where there is something to say. What fails is said once, and tried again a minute later: all of
 * a repository where GitHub or the login is the reason, else the issue. A damaged record is set aside. Returns how many issues are held.
 */
export async function reconcileIssues(
  config: Config,
  memory: IssueMemory,
  say: (line: string) => void,
): Promise<number> {
  const { records, damaged, unreadable } = readRecords(config.home)
  for (const name of damaged)
    say(
      `${path.join(getFolder(config.home), name)} is a damaged record of an issue, and was set aside. The comment and the branch of that issue say whether it is claimed.`,
    )
  for (const name of unreadable)
    if (memory.note(`unreadable/${name}`, name))
      say(
        `${path.join(getFolder(config.home), name)} is a record that this version of dispatch cannot read. It stays as it is.`,
      )
  const held = records.filter(isHeld)
  memory.sessions.startRound()
  for (const record of sortForRound(held, memory)) {
    const place = getPlace(record)
    const issue = getIssuePath(record)
    if (memory.rests(place) || memory.rests(issue)) continue
    try {
      // The lease takes several writes, and mostly nothing has changed.
      if (!(await isUpToDate(config, record, memory)))
        await withIssue(config.home, record, async () => {
          const current = readRecord(config.home, record)
          if (current === undefined || !isHeld(current)) return
          if (await reconcile(config, current, memory, say)) memory.succeed(place)
        })
      memory.failing.delete(issue)
      memory.succeed(issue)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      const isOver = !listRecords(config.home).some(each => getIssuePath(each) === issue && isHeld(each))
      if (isOver) memory.succeed(issue)
      if (isOver || restAfter(memory, record, error))
        say(`${formatIssue(record)}: ${error.message}.${isOver ? '' : ' It goes on later.'}`)
    }
  }
  return held.length
}

// --- internal ---

/** With these GitHub cannot be reached, refuses the login, or fails: for one issue as for all. */
const CODES_OF_A_PLACE: number[] = [exitCodes.dependency, exitCodes.login, exitCodes.upstream]

/** For how long the comment of a session that was closed still follows it. */
const FOLLOW_MS = 7 * DAY_MS

function getPlace({ host, owner, name }: IssueRecord): string {
  return `${host}/${owner}/${name}`
}

function getIssuePath(record: IssueRecord): string {
  return `issue/${getPlace(record)}/${record.number}`
}

/** As they came into the queue, so that what comes after another one finds that. What has failed comes last, and holds up no other. */
function sortForRound(records: IssueRecord[], { failing }: IssueMemory): IssueRecord[] {
  const rate = (record: IssueRecord) => Number(failing.has(getIssuePath(record)))
  const count = ({ item }: IssueRecord) => Number(item?.slice('q-'.length) ?? 0)
  return records.toSorted((a, b) => rate(a) - rate(b) || count(a) - count(b))
}

/** Let rest what has failed. Returns whether that is to be said. */
function restAfter(memory: IssueMemory, record: IssueRecord, { exitCode, message }: DispatchError): boolean {
  const issue = getIssuePath(record)
  memory.failing.add(issue)
  const isNew = memory.fail(issue, message)
  return CODES_OF_A_PLACE.includes(exitCode) ? memory.fail(getPlace(record), message) && isNew : isNew
}

/** Is all that there is to say about its work published? It is looked at again under its lease where it is not. */
async function isUpToDate(config: Config, record: IssueRecord, { published, sessions }: IssueMemory): Promise<boolean> {
  const before = published.get(record.claim)
  const isStarting = record.item === null && record.session === null
  if (before === undefined || isStarting || isOld(before.closedAt)) return false
  const item = await findIssueItem(config, record)
  return before.stamp === readWorkStamp(item, findWork(config, record, item, sessions))
}

/** The newest session that works on an issue. */
function findWork(config: Config, record: IssueRecord, item: Item | undefined, sessions: SessionList) {
  const first = item?.sessionId ?? record.session
  return first === null ? undefined : sessions.findNewestAttempt(config.workspace, first)
}

/** What a comment tells of changes when this does. */
function readWorkStamp(item: Item | undefined, session: Session | undefined): string {
  return `${item?.id} ${item?.state} ${item?.reason} ${session?.id} ${session && readStamp(session.paths.events)}`
}

/** Returns whether GitHub was asked, and has answered. */
async function reconcile(
  config: Config,
  record: IssueRecord,
  memory: IssueMemory,
  say: (line: string) => void,
): Promise<boolean> {
  let forge: Forge | undefined
  await bringForward(config, record, memory, say, async () => {
    forge ??= await connectRecord(config, record)
    return forge
  })
  return forge !== undefined
}

async function bringForward(
  config: Config,
  held: IssueRecord,
  { published, enqueuedAgain, sessions }: IssueMemory,
  say: (line: string) => void,
  connect: () => Promise<Forge>,
): Promise<void> {
  let record = held
  if (record.state === 'claiming') {
    const options = { isContinued: true, takesOver: false }
    record = await claimIssue(config.home, await connect(), record, options)
    say(`${formatIssue(record)}: claimed`)
  }
  const started = await ensureStarted(config, record)
  if (started !== record) say(describeStart(started))
  record = started
  let item = await findIssueItem(config, record)
  if (item === undefined && record.item !== null && record.session === null) {
    const lost = record.item
    record = await enqueueAgain(config, record, enqueuedAgain)
    item = await findIssueItem(config, record)
    say(`${formatIssue(record)}: ${lost} is not in the queue any more; it goes on as ${item?.id ?? record.session}`)
  }
  if (item !== undefined && item.id !== record.item) record = writeRecord(config.home, record, { item: item.id })
  if (item?.state === 'cancelled') {
    await giveBack(config.home, await connect(), record, `its item ${item.id} was taken out: ${item.reason}`)
    return say(`${formatIssue(record)}: given back, ${item.id} was taken out`)
  }
  const session = findWork(config, record, item, sessions)
  if (session !== undefined && session.id !== record.session)
    record = writeRecord(config.home, record, { session: session.id })
  // The comment keeps what it said last: without the session, there is nothing true to say.
  const isStarted = item === undefined ? record.item !== null || record.session !== null : item.state === 'done'
  if (isStarted && session === undefined) return end(config, record, 'its session was removed', say)
  const before = published.get(record.claim)
  if (isOld(before?.closedAt)) return end(config, record, 'its session has ended', say)
  const stamp = readWorkStamp(item, session)
  if (before?.stamp === stamp) return
  const closedAt = await updateComment(config, record, { item, session }, connect, say)
  published.set(record.claim, { stamp, closedAt })
}

function end(config: Config, record: IssueRecord, reason: string, say: (line: string) => void): void {
  writeRecord(config.home, record, { state: 'ended', reason })
  say(`${formatIssue(record)}: no longer followed, ${reason}`)
}

function isOld(closedAt: string | undefined): boolean {
  return closedAt !== undefined && Date.parse(closedAt) < Date.now() - FOLLOW_MS
}
