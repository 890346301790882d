import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { checkLiveness } from '#host/process'
import { type Item, type NewItem, wakeQueue } from '#queue'
import { listSessions, type Session } from '#session'
import { withQueue } from '../queue/open.ts'
import { formatIssue, type IssueRecord, isHeld, listRecords, writeRecord } from './record.ts'

/** Put the work of a claimed issue into the queue. Asked for twice, it is the same item. */
export async function enqueueIssue(config: Config, record: IssueRecord): Promise<IssueRecord> {
  const [item = null] = await withQueue(config, queue => queue.enqueue([buildIssueItem(record)]))
  const queued = writeRecord(config.home, record, { item })
  wakeQueue(config.home)
  return queued
}

/** The item of an issue. */
export function buildIssueItem(record: IssueRecord): NewItem {
  const { work, task, title, number, url } = record
  const { tags, ...rest } = work
  return {
    ...rest,
    ...(tags && { tags }),
    key: getItemKey(record),
    task: Buffer.from(task),
    title: `#${number} ${title}`,
    source: url,
  }
}

/** The item of an issue in the queue, by its key: a queue that was begun again gives its id to other work. Undefined without one. */
export async function findIssueItem(config: Config, record: IssueRecord): Promise<Item | undefined> {
  return withQueue(config, queue => queue.find(getItemKey(record)))
}

/** The claim for whose issue an item of the queue is; undefined for other items. */
export function findIssueOfItem(config: Config, { key }: Pick<Item, 'key'>): IssueRecord | undefined {
  return listRecords(config.home).find(record => isHeld(record) && getItemKey(record) === key)
}

/** The session that works on an issue, the newest of several. Each task has a nonce, so its hash names the claim. */
export function findIssueSession(config: Config, { task }: IssueRecord): Session | undefined {
  const hash = sha256(task)
  return listSessions(config.workspace)
    .filter(({ manifest }) => manifest.task.sha256 === hash)
    .sort((a, b) => a.manifest.openedAt.localeCompare(b.manifest.openedAt))
    .at(-1)
}

/**
 * Bring a claimed issue to its session: note the one that a command has started, and put it into the queue if that command is gone and
 * has started none.
 */
export async function ensureStarted(config: Config, record: IssueRecord): Promise<IssueRecord> {
  if (record.item !== null || record.session !== null) return record
  const session = findIssueSession(config, record)
  if (session !== undefined) return writeRecord(config.home, record, { session: session.id })
  if (record.starter !== null && (await checkLiveness(record.starter)) !== 'dead') return record
  return enqueueIssue(config, record)
}

/**
 * Put the work of an issue into the queue once more, where the queue has been lost with it before it had a session. `known` has the new
 * ids of what was lost before. Exit 5 where it comes after something that cannot be found again.
 */
export async function enqueueAgain(
  config: Config,
  record: IssueRecord,
  known: Map<string, string>,
): Promise<IssueRecord> {
  const session = findIssueSession(config, record)
  if (session !== undefined) return writeRecord(config.home, record, { session: session.id })
  const after: string[] = []
  for (const id of record.work.after) {
    const found = known.get(id) ?? (/^q-\d+$/.test(id) ? await findAgain(config, id) : id)
    if (found === undefined)
      throw new DispatchError(`${record.item} is not in the queue any more, nor is ${id}, which comes before it`, {
        exitCode: exitCodes.conflict,
        remedy: `To begin again: dispatch issue ${record.number} --release`,
      })
    after.push(found)
  }
  const queued = await enqueueIssue(config, { ...record, work: { ...record.work, after } })
  if (record.item !== null && queued.item !== null) known.set(record.item, queued.item)
  return queued
}

/** What a log calls an issue with its item or session. */
export function describeStart(record: IssueRecord): string {
  return `${formatIssue(record)}: ${record.item ?? record.session ?? 'claimed'}`
}

// --- internal ---

function getItemKey({ claim }: IssueRecord): string {
  return `issue/${claim}`
}

/** What had this id in the queue that was lost: the item of its issue now, or its session. */
async function findAgain(config: Config, id: string): Promise<string | undefined> {
  const record = listRecords(config.home).find(({ item }) => item === id)
  if (record === undefined) return undefined
  return (await findIssueItem(config, record))?.id ?? record.session ?? findIssueSession(config, record)?.id
}
