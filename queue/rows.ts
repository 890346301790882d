import { z } from 'zod'
import type { Database } from '#host/sqlite.ts'
import type { Start } from './limits.ts'
import {
  type Fence,
  type Item,
  type ItemState,
  type ItemWithTask,
  itemStates,
  MAX_FAILURES,
  type NewItem,
  type Outcome,
  priorities,
} from './queue.ts'

/**
 * The tables of the queue. An older dispatch must be able to go on with them after a rollback, so a column is added without another
 * number, as one that may be null or has a default, and so is a table. Any other change needs another number, and then an older
 * dispatch refuses the queue.
 */
export const SCHEMA_VERSION = 1

export const schema = `
  CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT UNIQUE,
    work TEXT NOT NULL,
    task BLOB NOT NULL,
    repository TEXT NOT NULL,
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    session_id TEXT,
    previous_session_id TEXT,
    claimed_by TEXT,
    renewed_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS starts (
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    is_failed INTEGER NOT NULL,
    PRIMARY KEY (number, attempt)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS starts_by_time ON starts (at);
  CREATE INDEX IF NOT EXISTS next ON items (priority, rank, number) WHERE state = 'waiting';
  CREATE INDEX IF NOT EXISTS by_state ON items (state);
`

/** A row of `items`, without its task. Times are in ms. */
const Row = z.object({
  number: z.number(),
  work: z.string(),
  task_bytes: z.number(),
  priority: z.number(),
  rank: z.number(),
  not_before: z.number(),
  enqueued_at: z.number(),
  state: z.enum(itemStates),
  reason: z.string(),
  since: z.number(),
  attempt: z.number(),
  failures: z.number(),
  session_id: z.string().nullable(),
  previous_session_id: z.string().nullable(),
  claimed_by: z.string().nullable(),
})
export type Row = z.infer<typeof Row>

/** A row with its task, for which `allColumns` was selected. */
export const RowWithTask = Row.extend({ task: z.instanceof(Uint8Array) })
export type RowWithTask = z.infer<typeof RowWithTask>
export const allColumns = '*, length(task) AS task_bytes'

/** `q-17` for the number 17. Pure. */
export function formatId(number: number): string {
  return `q-${number}`
}

/** Is this the id of an item, and not of a session? Pure. */
export function isItemId(text: string): boolean {
  return /^q-\d{1,9}$/.test(text)
}

/** The number in an id; 0, which no item has, for any other text. Pure. */
export function parseId(id: string): number {
  return isItemId(id) ? Number(id.slice(2)) : 0
}

/** What was asked for, without its task. Pure. */
export function parseWork(work: string): Omit<NewItem, 'task'> {
  return JSON.parse(work) as Omit<NewItem, 'task'>
}

/** ISO 8601. Pure. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** The items that fulfil a condition of SQL. Their tasks are not read. */
export function selectRows(database: Database, condition: string, ...values: (string | number)[]): Row[] {
  return database
    .prepare(`SELECT ${columns} FROM items WHERE ${condition}`)
    .all(...values)
    .map(row => Row.parse(row))
}

const columns = Object.keys(Row.shape).join(', ').replace('task_bytes', 'length(task) AS task_bytes')

/** The attempts that began at this time or later, the oldest first. */
export function listStarts(database: Database, sinceMs: number): Start[] {
  const rows = database.prepare('SELECT number, at, is_failed FROM starts WHERE at >= ? ORDER BY at').all(sinceMs)
  return rows.map(row => ({
    item: formatId(Number(row['number'])),
    at: toTime(Number(row['at'])),
    isFailed: row['is_failed'] === 1,
  }))
}

/** A row as others see it. Pure. */
export function toItem(row: Row): Item {
  return {
    ...parseWork(row.work),
    taskBytes: row.task_bytes,
    id: formatId(row.number),
    priority: priorities[row.priority] ?? 'default',
    state: row.state,
    reason: row.reason,
    since: toTime(row.since),
    enqueuedAt: toTime(row.enqueued_at),
    notBefore: row.not_before === 0 ? null : toTime(row.not_before),
    attempt: row.attempt,
    failures: row.failures,
    sessionId: row.session_id,
    previousSessionId: row.previous_session_id,
  }
}

export function toItemWithTask(row: RowWithTask): ItemWithTask {
  return { ...toItem(row), task: Buffer.from(row.task) }
}

/** The attempt of a fence is the current one, and has not ended. */
export const heldCondition = "number = ? AND attempt = ? AND state IN ('starting', 'running')"

/** The attempt of a fence, in this session, is the last one, and has ended although the session was not done. */
export const endedCondition =
  "number = ? AND attempt = ? AND session_id = ? AND state IN ('cancelled', 'needs you', 'waiting')"

/** The changes of an item that runs from a time on. */
export const runsSince = "state = 'running', reason = '', since = ?"

/** What goes with them. Pure. */
export const getHeldValues = ({ item, attempt }: Fence) => [parseId(item), attempt] as const

/** The state after an attempt has ended so. Pure. */
export function getNextState(outcome: Outcome, failures: number): ItemState {
  if (outcome.kind === 'released') return 'waiting'
  if (outcome.kind !== 'failed' && outcome.kind !== 'again') return outcome.kind
  return failures >= MAX_FAILURES ? 'needs you' : 'waiting'
}

/**
 * Has the start of this attempt failed, for a reason that may hold for others too? Not where a person must change the item. Pure.
 */
export function isFailedStart({ session_id }: Pick<Row, 'session_id'>, { kind }: Outcome): boolean {
  return kind === 'again' || (kind === 'failed' && session_id === null)
}
