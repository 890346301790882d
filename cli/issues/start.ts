import type { Config } from '#host/config'
import { sha256 } from '#host/hash.ts'
import { checkLiveness } from '#host/process'
import { type Item, type NewItem, wakeQueue } from '#queue'
import { listSessions, type Session } from '#session'
import { withQueue } from '../queue/open.ts'
import { formatIssue, type IssueRecord, writeRecord } from './record.ts'

/** Put the work of a claimed issue into the queue. Asked for twice, it is the same item. */
export async function enqueueIssue(config: Config, record: IssueRecord): Promise<IssueRecord> {
  const [item = null] = await withQueue(config, queue => queue.enqueue([buildIssueItem(record)]))
  const queued = writeRecord(config.home, record, { item })
  wakeQueue(config.home)
  return queued
}

/** The item of an issue. */
export function buildIssueItem(record: IssueRecord): NewItem {
  const { work, task, title, number, claim, url } = record
  const { tags, ...rest } = work
  return {
    ...rest,
    ...(tags && { tags }),
    key: `issue/${claim}`,
    task: Buffer.from(task),
    title: `#${number} ${title}`,
    source: url,
  }
}

/** The item of an issue in the queue; undefined without one. */
export async function findIssueItem(config: Config, { item }: IssueRecord): Promise<Item | undefined> {
  return item === null ? undefined : withQueue(config, queue => queue.find(item))
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

/** What a log calls an issue with its item or session. */
export function describeStart(record: IssueRecord): string {
  return `${formatIssue(record)}: ${record.item ?? record.session ?? 'claimed'}`
}
