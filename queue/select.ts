import type { Database } from '#host/sqlite.ts'
import type { Start } from './limits.ts'
import { Row, toTime } from './rows.ts'

/** The items that fulfil a condition of SQL. */
export function selectRows(database: Database, condition: string, ...values: (string | number)[]): Row[] {
  return database
    .prepare(`SELECT * FROM items WHERE ${condition}`)
    .all(...values)
    .map(row => Row.parse(row))
}

/** What waits and may start by now, the first first, a page at a time: most claims need no second one. */
export function* listDue(database: Database, nowMs: number): Generator<Row> {
  let page: Row[]
  let last: [number, number, number] = [-1, 0, 0]
  do {
    page = selectRows(
      database,
      `state = 'waiting' AND not_before <= ? AND (priority, rank, number) > (?, ?, ?)
       ORDER BY priority, rank, number LIMIT ${PAGE_ROWS}`,
      nowMs,
      ...last,
    )
    yield* page
    const end = page.at(-1)
    if (end) last = [end.priority, end.rank, end.number]
  } while (page.length === PAGE_ROWS)
}

/** The attempts that began at this time or later, the oldest first. */
export function listStarts(database: Database, sinceMs: number): Start[] {
  const rows = database.prepare('SELECT at, is_failed FROM starts WHERE at >= ? ORDER BY at').all(sinceMs)
  return rows.map(row => ({ at: toTime(Number(row['at'])), isFailed: row['is_failed'] === 1 }))
}

// --- internal ---

const PAGE_ROWS = 50
