import path from 'node:path'
import type { Forge } from '#forge'
import { editComment } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readStamp } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { DAY_MS, MINUTE_MS } from '#host/time.ts'
import type { Item } from '#queue'
import { findSession } from '#session'
import { readView, type SessionView } from '#session/status'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { withQueue } from '../queue/open.ts'
import { claimIssue, giveBack } from './claim.ts'
import { renderIssueComment } from './comment-text.ts'
import { connectRecord } from './connect.ts'
import { formatIssue, type IssueRecord, isHeld, listRecords, readRecord, withIssue, writeRecord } from './record.ts'
import { describeStart, ensureStarted, findIssueItem } from './start.ts'

/** What is kept from one look at the issues of a home to the next. */
export class IssueMemory {
  /** Each failure is said once, until something works again. */
  private readonly failures = new Map<string, { message: string; restsUntilMs: number }>()

  /** What the record of the work was when it was last told, by the claim. */
  readonly stamps = new Map<string, string>()

  rests(place: string): boolean {
    return (this.failures.get(place)?.restsUntilMs ?? 0) > performance.now()
  }

  succeed(place: string): void {
    this.failures.delete(place)
  }

  /** Returns whether it is to be said. */
  fail(place: string, message: string): boolean {
    const isNew = this.failures.get(place)?.message !== message
    this.failures.set(place, { message, restsUntilMs: performance.now() + MINUTE_MS })
    return isNew
  }
}

/**
 * Bring each claimed issue of this home forward: a claim that was interrupted, one whose item was taken out, and its comment where the
 * work has gone on. GitHub is asked only where there is something to say. What fails is said once, and tried again a minute later.
 * Returns how many issues are held.
 */
export async function tendIssues(config: Config, memory: IssueMemory, say: (line: string) => void): Promise<number> {
  const held = listRecords(config.home).filter(isHeld)
  for (const { host, owner, name, number } of held) {
    const key = { host, owner, name, number }
    const place = `${host}/${owner}/${name}`
    if (memory.rests(place)) continue
    try {
      await withIssue(config.home, key, async () => {
        const record = readRecord(config.home, key)
        if (record !== undefined && isHeld(record)) await tend(config, record, memory, say)
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

async function tend(
  config: Config,
  held: IssueRecord,
  { stamps }: IssueMemory,
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
  const item = await findIssueItem(config, started)
  if (item?.state === 'cancelled') {
    await giveBack(config.home, await connect(), started, `its item ${item.id} was taken out: ${item.reason}`)
    return say(`${formatIssue(started)}: given back, ${item.id} was taken out`)
  }
  const sessionId = item?.sessionId ?? started.session
  const log = sessionId === null ? '' : path.join(config.workspace, sessionId, 'events.jsonl')
  const stamp = `${item?.state} ${item?.reason} ${log} ${log === '' ? '' : readStamp(log)}`
  if (stamps.get(started.claim) === stamp) return
  await tell(config, started, { item, sessionId }, connect, say)
  stamps.set(started.claim, stamp)
}

async function tell(
  config: Config,
  record: IssueRecord,
  { item, sessionId }: { item: Item | undefined; sessionId: string | null },
  connect: () => Promise<Forge>,
  say: (line: string) => void,
): Promise<void> {
  const view = await readIssueView(config, sessionId)
  const matrix = view?.status.verdict === undefined ? undefined : await readPublishedMatrix(config, view)
  const body = redactSecrets(renderIssueComment({ record, item, view, matrix }), listKnownSecrets(config)).text
  const told = sha256(body)
  if (told !== record.told && record.commentId !== null) {
    if (!(await editComment(await connect(), record.commentId, body))) return lose(config, record, item, say)
    writeRecord(config.home, record, { told })
    say(`${formatIssue(record)}: told ${body.split('\n')[1]?.replace(/^.*: /, '') ?? ''}`)
  } else if (view !== undefined && hasEndedLongAgo(view)) writeRecord(config.home, record, { state: 'ended' })
}

/** Its comment is gone: another machine has taken it over, or a person has ended it on GitHub. What runs is left to its person. */
async function lose(config: Config, record: IssueRecord, item: Item | undefined, say: (line: string) => void) {
  const reason = 'its comment was deleted on GitHub'
  if (item?.state === 'waiting' || item?.state === 'needs you')
    await withQueue(config, queue => queue.cancel(item.id, reason))
  writeRecord(config.home, record, { state: 'lost', reason })
  say(`${formatIssue(record)}: no longer claimed, ${reason}`)
}

/** Undefined without a session, and for one that was removed. */
async function readIssueView(config: Config, id: string | null): Promise<SessionView | undefined> {
  if (id === null) return undefined
  try {
    return await readView(findSession(config.workspace, id))
  } catch (error) {
    if (error instanceof DispatchError && error.exitCode === exitCodes.notFound) return undefined
    throw error
  }
}

function hasEndedLongAgo({ status }: SessionView): boolean {
  return status.closed !== undefined && Date.parse(status.lastEventAt) < Date.now() - 7 * DAY_MS
}
